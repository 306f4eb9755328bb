package io.tomobasis.jni;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the classes of this jar run on: C library, Java, Scala and Spark.
 *
 * <p>It is in Java, and asks by name, so that it can say what is wrong where Scala code of this jar would fail to link.
 */
public final class Platform {
  private static final int OLDEST_SPARK = 305;
  /** From here on Java refuses {@code Subject.getSubject}, which older Hadoops call. */
  private static final int JAVA_WITHOUT_SUBJECTS = 23;

  private Platform() {}

  /**
   * Why this jar does not run here.
   *
   * @return one line for the user; null where nothing is known that keeps it from running
   */
  public static String problem() {
    String scala = said("scala.util.Properties", "versionNumberString");
    String spark = said("org.apache.spark.package", "SPARK_VERSION");
    String hadoop = said("org.apache.hadoop.util.VersionInfo", "getVersion");
    boolean subjects = hadoop != null && !exists("org.apache.hadoop.security.authentication.util.SubjectUtil");
    return problem(runsOnMusl(), Runtime.version().feature(), scala, spark, subjects ? hadoop : null);
  }

  /**
   * The same of a system that is described.
   *
   * @param hadoop its version, of one that needs {@code Subject.getSubject}; null for others
   */
  static String problem(boolean musl, int java, String scala, String spark, String hadoop) {
    if (musl) {
      return "this system's C library is musl (Alpine Linux), and the native library needs glibc: use an image based on Debian, "
          + "Ubuntu, Red Hat or another system with glibc";
    }
    if (scala != null && !scala.startsWith("2.13.")) {
      return "Scala " + scala + ": this jar is for Scala 2.13; use a Spark that is built for it (for Spark 3.5 the download with "
          + "scala2.13 in its name)";
    }
    if (spark != null && number(spark) < OLDEST_SPARK) {
      return "Spark " + spark + ": this jar needs Spark 3.5 or later, built for Scala 2.13";
    }
    if (hadoop != null && java >= JAVA_WITHOUT_SUBJECTS) {
      return "Java " + java + ": Hadoop " + hadoop + ", which this Spark has, does not run on Java 23 or later; use Java 17 or 21, "
          + "or a later Spark";
    }
    return null;
  }

  /** Whether this Java runs on musl: then the loader of musl is mapped. */
  private static boolean runsOnMusl() {
    try {
      return Files.readString(Path.of("/proc/self/maps")).contains("/ld-musl-");
    } catch (IOException | RuntimeException e) {
      return false;
    }
  }

  /** 305 of 3.5.6; the largest number of what is no version. */
  private static int number(String version) {
    String[] parts = version.split("[.-]");
    try {
      return 100 * Integer.parseInt(parts[0]) + Integer.parseInt(parts[1]);
    } catch (RuntimeException e) {
      return Integer.MAX_VALUE;
    }
  }

  /** What a static method without arguments says; null where there is none. */
  private static String said(String className, String method) {
    try {
      return String.valueOf(found(className).getMethod(method).invoke(null));
    } catch (ReflectiveOperationException | LinkageError | RuntimeException e) {
      return null;
    }
  }

  private static boolean exists(String className) {
    try {
      found(className);
      return true;
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }

  /** By the loader of Spark's classes: those of a session may see more than those of this jar. */
  private static Class<?> found(String className) throws ClassNotFoundException {
    ClassLoader ours = Platform.class.getClassLoader();
    ClassLoader threads = Thread.currentThread().getContextClassLoader();
    return Class.forName(className, false, threads == null ? ours : threads);
  }
}
