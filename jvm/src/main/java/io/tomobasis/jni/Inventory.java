package io.tomobasis.jni;

import java.io.IOException;
import java.util.Objects;

/**
 * Finds the series in a folder from the headers of its files, on the driver.
 *
 * <p>Files are added in the order of their listing; the result does not depend on it, but messages number files by it. Any thread
 * may call it; calls wait for each other.
 */
public final class Inventory extends NativeObject {
  static {
    NativeLibrary.load();
  }

  /**
   * Starts an empty inventory.
   *
   * @param optionsJson of {@link JobOptions}
   */
  public Inventory(String optionsJson) {
    super(create(Objects.requireNonNull(optionsJson, "optionsJson")), Inventory::free);
  }

  /**
   * Adds one file, or says how much more of it is needed.
   *
   * @param file position of the file in the listing, from 0
   * @param name path of the file relative to its input; only a salted hash of it appears in messages
   * @param length length of the whole file in bytes
   * @param head the first bytes of the file
   * @return 0 when nothing more is needed of this file; else the number of bytes from its start to call again with
   * @throws InputException when the file is DICOM but cannot be used
   */
  public long add(int file, String name, long length, byte[] head) {
    requireNonNegative(file, "file");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(head, "head");
    if (length < head.length) {
      throw new IllegalArgumentException("a head of " + head.length + " bytes is longer than its file: " + length);
    }
    return write(handle -> add0(handle, file, name, length, head));
  }

  /**
   * Adds one file, reading as much of it as its header needs; what is long and not needed is skipped.
   *
   * @param file position of the file in the listing, from 0
   * @param name path of the file relative to its input; only a salted hash of it appears in messages
   * @param length length of the whole file in bytes
   * @param head the first bytes of the file
   * @param more reads others; called by this thread only. A file that gives no more bytes ends there
   * @throws IOException of {@code more}; the file is not added then
   */
  public void read(int file, String name, long length, byte[] head, Archive.Source more) throws IOException {
    requireNonNegative(file, "file");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(head, "head");
    Objects.requireNonNull(more, "more");
    if (length < head.length) {
      throw new IllegalArgumentException("a head of " + head.length + " bytes is longer than its file: " + length);
    }
    write(
        handle -> {
          read0(handle, file, name, length, head, more);
          return null;
        });
  }

  /**
   * Adds what cannot be read, so that it is counted, and stops a series that it may belong to.
   *
   * @param file its position in the listing, from 0
   * @param name its path relative to its input
   * @param length its length; negative when it has none
   * @param why of {@link LocalFile} or {@link ArchiveEntry}
   */
  public void addUnread(int file, String name, long length, String why) {
    requireNonNegative(file, "file");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(why, "why");
    write(
        handle -> {
          addUnread0(handle, file, name, length, why);
          return null;
        });
  }

  /**
   * Adds a file that a Hadoop file system does not open.
   *
   * @param file its position in the listing, from 0
   * @param name its path relative to its input
   * @param length its length
   * @param fault why
   * @param other the caller's words for {@link Fault#OTHER}
   */
  public void addUnopened(int file, String name, long length, Fault fault, String other) {
    requireNonNegative(file, "file");
    Objects.requireNonNull(name, "name");
    String reason = fault.words(other);
    write(
        handle -> {
          addUnopened0(handle, file, name, length, reason);
          return null;
        });
  }

  /**
   * What has to be decoded before {@link #select}: slices at one place that no attribute tells apart, so that pixels decide.
   *
   * @return plans of such slices; none for most inputs
   */
  public SeriesPlan[] repeats() {
    return write(Inventory::repeats0);
  }

  /**
   * Takes what decoding the slices of one of these plans gave.
   *
   * @param planJson the plan
   * @param decoded its slices
   */
  public void know(String planJson, SliceDigest[] decoded) {
    Objects.requireNonNull(planJson, "planJson");
    Decomposition.requireElements(decoded, "decoded");
    write(
        handle -> {
          know0(handle, planJson, decoded);
          return null;
        });
  }

  /**
   * Groups, chooses and orders the slices of what was added.
   *
   * @return the series' plan
   * @throws InputException when there is no series, when there are several and none was chosen, or when the chosen one cannot be used
   */
  public SeriesPlan select() {
    return write(Inventory::select0);
  }

  /**
   * The plan of the series that was chosen or, where none was, of each series that there is.
   *
   * @return plans, in the order of a listing
   * @throws InputException when there is no series, or when one cannot be used
   */
  public SeriesPlan[] selectAll() {
    return write(Inventory::selectAll0);
  }

  /**
   * What this inventory knows of its files, for {@link #merge} in another process.
   *
   * @return bytes
   */
  public byte[] toBytes() {
    return write(Inventory::toBytes0);
  }

  /**
   * Takes what another inventory knows of other files of the same listing, in any order.
   *
   * @param part of {@link #toBytes}
   */
  public void merge(byte[] part) {
    Objects.requireNonNull(part, "part");
    write(
        handle -> {
          merge0(handle, part);
          return null;
        });
  }

  /** Takes one series after the other. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * Takes a series.
     *
     * @param rowJson its row of the index: a JSON object
     * @param plan its plan; null where it cannot be used or is left out, as the row says
     */
    void series(String rowJson, SeriesPlan plan);
  }

  /**
   * Visits every series of an input in which all are meant, the largest first.
   *
   * @param visitor takes them
   */
  public void visit(Visitor visitor) {
    Objects.requireNonNull(visitor, "visitor");
    write(
        handle -> {
          visit0(handle, visitor);
          return null;
        });
  }

  /**
   * What the input has that is of no series.
   *
   * @return one phrase for each kind
   */
  public String[] ofNoSeries() {
    return write(Inventory::ofNoSeries0);
  }

  /**
   * What the headers say of each slice of a series, as a table's columns ({@code docs/python.md}).
   *
   * @param planJson of the plan
   * @param identifying whether UIDs, which lead to a patient, are among them
   * @return a JSON array of an object for each slice, in the plan's order
   */
  public static String rows(String planJson, boolean identifying) {
    return rows0(Objects.requireNonNull(planJson, "planJson"), identifying);
  }

  /**
   * A plan without slices that turned out unusable when they were decoded ({@code --on-bad-slice skip}).
   *
   * @param planJson of the plan that {@link #select} returned
   * @param slices positions of the slices in the plan
   * @param reasons for each, what was wrong with it
   * @return the plan of the other slices
   * @throws InputException when too much is missing then
   */
  public static SeriesPlan without(String planJson, int[] slices, String[] reasons) {
    Objects.requireNonNull(planJson, "planJson");
    if (slices.length != reasons.length) {
      throw new IllegalArgumentException(slices.length + " slices and " + reasons.length + " reasons");
    }
    return without0(planJson, slices, reasons);
  }

  /**
   * A plan once the slices of its {@code comparison} have been decoded: of those that seem to be one slice, two by two.
   *
   * @param planJson of the plan that {@link #select} returned
   * @param decoded the comparison's slices
   * @param skip whether slices that cannot be used are left out
   * @return the plan without slices that another repeats
   * @throws InputException when slices that should be the same are not, or too much is missing then
   */
  public static SeriesPlan compared(String planJson, SliceDigest[] decoded, boolean skip) {
    Objects.requireNonNull(planJson, "planJson");
    Decomposition.requireElements(decoded, "decoded");
    return compared0(planJson, decoded, skip);
  }

  /**
   * How messages name a file: {@code file 17 of 303 (id 3f2a9c01)}.
   *
   * @param file position of the file in the listing, from 0
   * @param count number of files in the listing
   * @param name as given to {@link #add}
   * @return the label, in which only a salted hash of the name appears
   */
  public static native String fileLabel(int file, int count, String name);

  private static native long create(String optionsJson);

  private static native void free(long handle);

  private static native long add0(long handle, int file, String name, long length, byte[] head);

  private static native void read0(
      long handle, int file, String name, long length, byte[] head, Archive.Source more);

  private static native void addUnread0(long handle, int file, String name, long length, String why);

  private static native void addUnopened0(long handle, int file, String name, long length, String reason);

  private static native SeriesPlan select0(long handle);

  private static native SeriesPlan[] selectAll0(long handle);

  private static native byte[] toBytes0(long handle);

  private static native void merge0(long handle, byte[] part);

  private static native void visit0(long handle, Visitor visitor);

  private static native String[] ofNoSeries0(long handle);

  private static native String rows0(String planJson, boolean identifying);

  private static native SeriesPlan[] repeats0(long handle);

  private static native void know0(long handle, String planJson, SliceDigest[] decoded);

  private static native SeriesPlan without0(String planJson, int[] slices, String[] reasons);

  private static native SeriesPlan compared0(String planJson, SliceDigest[] decoded, boolean skip);
}
