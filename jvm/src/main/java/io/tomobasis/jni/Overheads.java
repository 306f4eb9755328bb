package io.tomobasis.jni;

import java.util.Arrays;

/**
 * The defaults of {@code tomobasis-submit} for memory outside the heaps of executors and driver, which have to be known before there is
 * a driver: two numbers of MiB. It needs neither Spark nor Scala.
 */
public final class Overheads {
  private static final int NUMBERS = 4;

  private Overheads() {}

  /**
   * Prints the two numbers; nothing where the job's options are not those of a run, of which the job itself speaks.
   *
   * @param args executor's heap in MiB, tasks that it runs at a time, driver's heap in MiB, driver's cores; then the job's options
   */
  public static void main(String[] args) {
    try {
      long[] numbers = Arrays.stream(args).limit(NUMBERS).mapToLong(Long::parseLong).toArray();
      CommandLine line = CommandLine.parse(Arrays.copyOfRange(args, NUMBERS, args.length));
      if (line instanceof JobOptions options) {
        Scratch scratch = Scratch.assumed(options.json(), (int) numbers[3]);
        long executor = Scratch.overheadMiB(numbers[0] << 20, scratch.ofExecutor((int) numbers[1]));
        long driver = Scratch.overheadMiB(numbers[2] << 20, scratch.driver());
        System.out.println(executor + " " + driver);
      }
    } catch (RuntimeException e) {
      // What is wrong with the options, or with this machine, the job says.
    }
  }
}
