package io.tomobasis.jni;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/**
 * Finds and loads {@code libtomobasis_jni}, once per class loader.
 *
 * <p>The order is: the file that the system property {@code tomobasis.native.path} names; {@code java.library.path}; the copy in
 * the jar, {@code /native/<os>-<arch>/}, unpacked to a temporary file that is deleted as soon as it is mapped. A property that
 * is set but wrong is an error: nothing else is tried behind the user's back. On a {@link Platform} that this jar does not run on
 * nothing is tried at all.
 *
 * <p>Any thread may call this class.
 */
public final class NativeLibrary {
  static final String PATH_PROPERTY = "tomobasis.native.path";
  private static final String NAME = "tomobasis_jni";

  private static volatile boolean loaded;
  private static NativeLibraryException failure;

  private NativeLibrary() {}

  /**
   * Loads the library if that has not been done yet.
   *
   * @throws NativeLibraryException when it cannot be loaded; every later call throws the same
   */
  public static synchronized void load() {
    if (failure != null) {
      throw failure;
    }
    if (!loaded) {
      try {
        loadFirstFound();
        loaded = true;
      } catch (NativeLibraryException e) {
        failure = e;
        throw e;
      }
    }
  }

  /**
   * Whether it has been loaded; loads nothing.
   *
   * @return whether native methods can be called
   */
  public static boolean isLoaded() {
    return loaded;
  }

  /**
   * Bytes that native code has allocated and not yet freed, in pieces of 64 KiB and more: nearly all that it has, apart from what codecs
   * in C and C++ allocate. {@link #load} must have succeeded.
   *
   * @return a number of bytes
   */
  public static native long allocatedBytes();

  /**
   * The most that {@link #allocatedBytes} has been since this method was called last, or since the library was loaded. {@link #load}
   * must have succeeded.
   *
   * @return a number of bytes
   */
  public static native long takeAllocatedPeak();

  /**
   * What was loaded, for logs. {@link #load} must have succeeded.
   *
   * @return its version, and what was chosen for this machine
   */
  public static native BuildInfo buildInfo();

  /**
   * Rows of a row block, the last one of a series apart. {@link #load} must have succeeded.
   *
   * @return the format's block height
   */
  public static native int blockRows();

  private static void loadFirstFound() {
    String problem = Platform.problem();
    if (problem != null) {
      throw new NativeLibraryException(problem, null);
    }
    String path = System.getProperty(PATH_PROPERTY);
    if (path != null) {
      try {
        System.load(Path.of(path).toAbsolutePath().toString());
      } catch (UnsatisfiedLinkError | RuntimeException e) {
        throw failed("the file that -D" + PATH_PROPERTY + " names cannot be loaded", e);
      }
      return;
    }
    try {
      System.loadLibrary(NAME);
    } catch (UnsatisfiedLinkError notOnLibraryPath) {
      loadBundled();
    }
  }

  private static void loadBundled() {
    String resource = "/native/" + platform() + "/" + System.mapLibraryName(NAME);
    Path unpacked = null;
    try (InputStream in = NativeLibrary.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw failed("this jar has no native library for " + platform(), null);
      }
      unpacked = Files.createTempFile(NAME, null);
      Files.copy(in, unpacked, StandardCopyOption.REPLACE_EXISTING);
      // The access check of Linux says no for a file on a noexec mount, whatever its permissions.
      if (!unpacked.toFile().setExecutable(true, true) || !Files.isExecutable(unpacked)) {
        throw failed("the folder for temporary files allows no executable code (mounted noexec?): point java.io.tmpdir elsewhere", null);
      }
      System.load(unpacked.toString());
    } catch (IOException e) {
      throw failed("the native library cannot be unpacked to java.io.tmpdir", e);
    } catch (UnsatisfiedLinkError e) {
      throw failed("the native library of this jar does not run here", e);
    } finally {
      if (unpacked != null) {
        unpacked.toFile().delete(); // Linux keeps the mapping
      }
    }
  }

  private static NativeLibraryException failed(String what, Throwable cause) {
    StringBuilder message = new StringBuilder(what);
    if (cause != null) {
      message.append(" (").append(cause.getMessage()).append(')');
    }
    message.append("; set -D").append(PATH_PROPERTY).append("=FILE to a library built for this machine (for Spark: in ")
        .append("spark.driver.extraJavaOptions and spark.executor.extraJavaOptions)");
    return new NativeLibraryException(message.toString(), cause);
  }

  private static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
    String arch = System.getProperty("os.arch");
    return os + "-" + (arch.equals("amd64") ? "x86_64" : arch);
  }
}
