package io.tomobasis.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

/** Without memory outside the heap calls end in an exception of one line, and the JVM lives. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class NativeMemoryTest {
  /** What the JVM itself may need meanwhile. */
  private static final long LEFT = 100L << 20;

  @Test
  void sums_and_arrays_without_memory_are_computation_exceptions() throws Exception {
    short[] block = new short[(int) (LEFT / 2) + (8 << 20)];
    limitAddressSpace(Long.toString(1024 * virtualMemory() + LEFT));
    try {
      TomoBasisException sums = assertThrows(ComputationException.class, () -> new GramAccumulator(16_384));
      assertOneLine(sums, "the sum over 16384 slices, outside the Java heap, needs 1.");
      assertOneLine(sums, "spark.executor.memoryOverhead");
      try (GramAccumulator gram = new GramAccumulator(1)) {
        TomoBasisException copy = assertThrows(ComputationException.class, () -> gram.add(block, block.length, 0));
        assertOneLine(copy, "out of memory outside the Java heap");
      }
    } finally {
      limitAddressSpace("unlimited");
    }
    try (GramAccumulator gram = new GramAccumulator(1)) {
      gram.add(new short[] {3}, 1, GramAccumulator.blockCheck(new short[] {3}, 1, 0));
    }
  }

  private static void assertOneLine(TomoBasisException thrown, String words) {
    assertEquals(1, thrown.exitCode());
    assertFalse(thrown.getMessage().contains("\n"), thrown.getMessage());
    assertTrue(thrown.getMessage().contains(words), thrown.getMessage());
  }

  /** In KiB. */
  private static long virtualMemory() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmSize:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .findFirst()
        .orElseThrow();
  }

  /** The soft limit of this process, so that it can be taken back. */
  private static void limitAddressSpace(String bytes) throws IOException, InterruptedException {
    String self = Long.toString(ProcessHandle.current().pid());
    Process prlimit;
    try {
      prlimit = new ProcessBuilder("prlimit", "--pid", self, "--as=" + bytes + ":").inheritIO().start();
    } catch (IOException absent) {
      assumeTrue(false, "there is no prlimit here");
      return;
    }
    assertEquals(0, prlimit.waitFor());
  }
}
