package io.tomobasis.jni;

import java.util.Objects;

/** The results of {@code --series all}: their index, and which of them are kept by a later run. Any thread may call it. */
public final class AllSeries {
  static {
    NativeLibrary.load();
  }

  /** Name of the index. */
  public static final String INDEX = "index.parquet";

  /** What {@link #reserve} says. */
  public enum Reservation {
    /** The memory is reserved. */
    GRANTED,
    /** It will be free when others are done. */
    LATER,
    /** So much is never free in this process. */
    NEVER
  }

  private AllSeries() {}

  /**
   * The index as a Parquet file.
   *
   * @param rowsJson a JSON array of rows: those that {@link Inventory#visit} gives, with what became of them
   * @return the file
   */
  public static byte[] index(String rowsJson) {
    return index0(Objects.requireNonNull(rowsJson, "rowsJson"));
  }

  /**
   * The rows of an index.
   *
   * @param index the Parquet file
   * @return a JSON array
   * @throws InputException when it is no index
   */
  public static String rows(byte[] index) {
    return rows0(Objects.requireNonNull(index, "index"));
  }

  /**
   * Rows of which those that are still to be done have what an earlier index says was done with these options.
   *
   * @param rowsJson a JSON array of rows
   * @param index the Parquet file; one that is no index says nothing
   * @param names what is in the output
   * @param options of {@link #optionsDigest}
   * @return a JSON array
   */
  public static String takeOver(String rowsJson, byte[] index, String[] names, String options) {
    Objects.requireNonNull(rowsJson, "rowsJson");
    Objects.requireNonNull(index, "index");
    return takeOver0(rowsJson, index, names, Objects.requireNonNull(options, "options"));
  }

  /**
   * What an index says, in words.
   *
   * @param index the Parquet file
   * @return lines for the user
   * @throws InputException when it is no index
   */
  public static String status(byte[] index) {
    return status0(Objects.requireNonNull(index, "index"));
  }

  /**
   * The last lines of a run, for the user.
   *
   * @param rowsJson as for {@link #index}
   * @param ofNoSeries of {@link Inventory#ofNoSeries}
   * @param names what is in the folder with all results
   * @param output that folder
   * @return lines: counts, what failed, what is left out, what else is in the folder
   */
  public static String closing(String rowsJson, String[] ofNoSeries, String[] names, String output) {
    Objects.requireNonNull(rowsJson, "rowsJson");
    Decomposition.requireElements(ofNoSeries, "ofNoSeries");
    Decomposition.requireElements(names, "names");
    return closing0(rowsJson, ofNoSeries, names, Objects.requireNonNull(output, "output"));
  }

  /**
   * Whether a folder is the output of such a run, or may become it.
   *
   * @param names what is in it
   * @param index its file {@link #INDEX}; null where there is none
   * @return false for what holds something else
   */
  public static boolean isArchive(String[] names, byte[] index) {
    Decomposition.requireElements(names, "names");
    return isArchive0(names, index);
  }

  /**
   * Throws where the results of an archive are of another kind than those of a run: none of them would be replaced.
   *
   * @param manifest of one of them
   * @param kind of the run
   * @throws UsageException when they are
   */
  public static void checkKind(byte[] manifest, ResultKind kind) {
    checkKind0(Objects.requireNonNull(manifest, "manifest"), kind.name());
  }

  /**
   * Throws where series failed, or have not been looked at.
   *
   * @param rowsJson as for {@link #index}
   * @param failFast whether the first one ended the run
   * @throws InputException when all of them failed because of the input
   * @throws ComputationException when others failed, or are not done
   */
  public static void check(String rowsJson, boolean failFast) {
    check0(Objects.requireNonNull(rowsJson, "rowsJson"), failFast);
  }

  /**
   * What stands for the options that a result depends on.
   *
   * @param optionsJson of {@link JobOptions}
   * @return 64 hexadecimal digits
   */
  public static String optionsDigest(String optionsJson) {
    return optionsDigest0(Objects.requireNonNull(optionsJson, "optionsJson"));
  }

  /**
   * What stands for all of a series that a result depends on.
   *
   * @param planJson of the {@link SeriesPlan}, its copies compared and bad slices left out
   * @param sliceRecords what {@link SliceDecoder#decode} returned for each slice, in the plan's order
   * @return 64 hexadecimal digits
   */
  public static String fingerprint(String planJson, byte[] sliceRecords) {
    Objects.requireNonNull(planJson, "planJson");
    return fingerprint0(planJson, Objects.requireNonNull(sliceRecords, "sliceRecords"));
  }

  /**
   * What the manifest says of what a result was made of.
   *
   * @param fingerprint of the series
   * @param options of {@link #optionsDigest}
   * @param leftOut slices that were left out
   * @param seconds of the run
   * @return a JSON object, whose fields belong into the section {@code run}
   */
  public static String section(String fingerprint, String options, int leftOut, double seconds) {
    Objects.requireNonNull(fingerprint, "fingerprint");
    Objects.requireNonNull(options, "options");
    return section0(fingerprint, options, NativeObject.requireNonNegative(leftOut, "leftOut"), seconds);
  }

  /**
   * Whether a result that is there is of such a series and such options. Whether its files are there is for the caller to look at.
   *
   * @param manifest the bytes of the file of that name
   * @param fingerprint of the series
   * @param options of {@link #optionsDigest}
   * @return a JSON object of {@code root}, {@code left_out}, {@code seconds}, {@code files} and their {@code sizes} (-1 where not
   *     listed); null where the result is to be made again
   */
  public static String kept(byte[] manifest, String fingerprint, String options) {
    Objects.requireNonNull(manifest, "manifest");
    Objects.requireNonNull(fingerprint, "fingerprint");
    return kept0(manifest, fingerprint, Objects.requireNonNull(options, "options"));
  }

  /**
   * What {@link SeriesInMemory#run} needs outside the heap, its files aside.
   *
   * @param planJson of the {@link SeriesPlan}
   * @param optionsJson of the {@link JobOptions}
   * @param threads number of threads
   * @return bytes
   */
  public static long memory(String planJson, String optionsJson, int threads) {
    Objects.requireNonNull(planJson, "planJson");
    Objects.requireNonNull(optionsJson, "optionsJson");
    return memory0(planJson, optionsJson, NativeObject.requirePositive(threads, "threads"));
  }

  /**
   * Reserves memory of this process for one of the runs in it.
   *
   * @param bytes how much
   * @param limit what all of them together may have at the most
   * @return whether it is reserved; then {@link #release} gives it back
   */
  public static Reservation reserve(long bytes, long limit) {
    return switch (reserve0(bytes, limit)) {
      case 1 -> Reservation.GRANTED;
      case 0 -> Reservation.LATER;
      default -> Reservation.NEVER;
    };
  }

  /**
   * Gives back what was reserved.
   *
   * @param bytes how much
   */
  public static void release(long bytes) {
    release0(bytes);
  }

  private static native byte[] index0(String rowsJson);

  private static native String rows0(byte[] index);

  private static native String takeOver0(String rowsJson, byte[] index, String[] names, String options);

  private static native String status0(byte[] index);

  private static native String closing0(String rowsJson, String[] ofNoSeries, String[] names, String output);

  private static native boolean isArchive0(String[] names, byte[] index);

  private static native void checkKind0(byte[] manifest, String kind);

  private static native void check0(String rowsJson, boolean failFast);

  private static native String optionsDigest0(String optionsJson);

  private static native String fingerprint0(String planJson, byte[] sliceRecords);

  private static native String section0(String fingerprint, String options, int leftOut, double seconds);

  private static native String kept0(byte[] manifest, String fingerprint, String options);

  private static native long memory0(String planJson, String optionsJson, int threads);

  private static native int reserve0(long bytes, long limit);

  private static native void release0(long bytes);
}
