package io.tomobasis.jni;

import java.util.Objects;

/**
 * Memory that the processes of a run need beside their Java heaps, and on them, in bytes: by the number of slices, the rank and the
 * method. Native code has the formulas ({@code docs/scaling.md}).
 *
 * @param task outside the heap, for each task that an executor runs at a time
 * @param executor outside the heap, for what the tasks of an executor share
 * @param heap on the heap, for each task that an executor runs at a time
 * @param driver outside the driver's heap
 */
public record Scratch(long task, long executor, long heap, long driver) {
  private static final long MIB = 1 << 20;
  /** What Spark leaves to a JVM itself, outside its heap, where nothing is set: a tenth of the heap, but at least this. */
  private static final long LEAST_OF_JVM = 384 * MIB;

  /**
   * Of a run on a series or matrix.
   *
   * @param planJson of the {@link SeriesPlan}
   * @param optionsJson of the {@link JobOptions}
   * @param floatSums of a matrix of floats, {@link MatrixNumbers#sums}; 0 of integers
   * @param driverThreads threads that the driver uses
   * @return what its processes need
   */
  public static Scratch of(String planJson, String optionsJson, int floatSums, int driverThreads) {
    Objects.requireNonNull(planJson, "planJson");
    Objects.requireNonNull(optionsJson, "optionsJson");
    return of(
        MemoryNeed.of0(
            planJson,
            optionsJson,
            NativeObject.requireNonNegative(floatSums, "floatSums"),
            NativeObject.requirePositive(driverThreads, "driverThreads")));
  }

  /**
   * Of a run before anything is known of its input: 2,048 slices of 512 x 512; where each of many series is a task, one of 512 slices.
   *
   * @param optionsJson of the {@link JobOptions}
   * @param driverThreads threads that the driver uses
   * @return what its processes need
   */
  public static Scratch assumed(String optionsJson, int driverThreads) {
    Objects.requireNonNull(optionsJson, "optionsJson");
    return of(MemoryNeed.assumed0(optionsJson, NativeObject.requirePositive(driverThreads, "driverThreads")));
  }

  /**
   * Refuses a decomposition for which this process, the driver, has no memory outside its heap.
   *
   * @param planJson of the {@link SeriesPlan}
   * @param optionsJson of the {@link JobOptions}
   * @param driverThreads threads that it uses
   * @throws ComputationException when there is too little
   */
  public static void checkDriver(String planJson, String optionsJson, int driverThreads) {
    Objects.requireNonNull(planJson, "planJson");
    Objects.requireNonNull(optionsJson, "optionsJson");
    MemoryNeed.checkDriver0(planJson, optionsJson, NativeObject.requirePositive(driverThreads, "driverThreads"));
  }

  /**
   * Memory that this process can still have, by the machine and the limits of its container.
   *
   * @return bytes; the largest number where it is not known
   */
  public static long free() {
    return MemoryNeed.free0();
  }

  /**
   * What an executor needs outside its heap.
   *
   * @param tasks that it runs at a time
   * @return bytes
   */
  public long ofExecutor(int tasks) {
    return executor + tasks * task;
  }

  /**
   * The overhead for a process: what its JVM needs itself, and what native code does.
   *
   * @param heap of the process, in bytes
   * @param needed by native code, in bytes
   * @return MiB
   */
  public static long overheadMiB(long heap, long needed) {
    return (Math.max(LEAST_OF_JVM, heap / 10) + needed + MIB - 1) / MIB;
  }

  private static Scratch of(long[] numbers) {
    return new Scratch(numbers[0], numbers[1], numbers[2], numbers[3]);
  }
}
