package io.tomobasis.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class PlatformTest {
  private static void refused(String problem, String... words) {
    for (String word : words) {
      assertTrue(problem != null && problem.contains(word), String.valueOf(problem));
    }
    assertEquals(1, problem.lines().count());
  }

  @Test
  void this_machine_without_spark_is_accepted() {
    assertNull(Platform.problem());
  }

  @Test
  void every_supported_spark_is_accepted() {
    for (String spark : new String[] {"3.5.0", "3.5.6", "4.0.1", "4.1.0", "4.2.0-SNAPSHOT", "5.0.0", "unknown"}) {
      assertNull(Platform.problem(false, 17, "2.13.16", spark, "3.4.2"), spark);
    }
    assertNull(Platform.problem(false, 25, "2.13.17", "4.3.0", null));
  }

  @Test
  void scala_2_12_is_refused_with_the_download_to_take() {
    refused(Platform.problem(false, 17, "2.12.18", "3.5.6", "3.3.4"), "Scala 2.12.18", "2.13");
  }

  @Test
  void an_older_spark_is_refused() {
    refused(Platform.problem(false, 17, "2.13.8", "3.4.4", "3.3.4"), "Spark 3.4.4", "3.5");
  }

  @Test
  void a_java_that_the_hadoop_of_this_spark_does_not_run_on_is_refused() {
    refused(Platform.problem(false, 25, "2.13.17", "4.1.0", "3.4.2"), "Java 25", "Hadoop 3.4.2", "17 or 21");
  }

  @Test
  void musl_is_refused_first() {
    refused(Platform.problem(true, 25, "2.12.18", "3.4.4", "3.3.4"), "musl", "glibc");
  }
}
