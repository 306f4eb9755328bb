package io.tomobasis.jni;

import java.io.IOException;
import java.util.Objects;

/**
 * The files of a matrix that is no scan, and where its numbers are in them.
 *
 * <p>The driver opens them; tasks get the bytes of {@link #toBytes} and read row blocks. Immutable: any number of threads may share
 * one.
 */
public final class MatrixSource extends NativeObject {
  static {
    NativeLibrary.load();
  }

  /** Reads the files, by their place in the listing. */
  @FunctionalInterface
  public interface Reader {
    /**
     * Fills a buffer from a place in a file on. Called by the threads that call native code only.
     *
     * @param file place of the file in the listing, from 0
     * @param position of the first byte wanted
     * @param buffer receives the bytes, from its start on
     * @param count of bytes wanted; the file is as long as was said
     * @throws IOException of the file system
     */
    void read(int file, long position, byte[] buffer, int count) throws IOException;
  }

  private MatrixSource(long handle) {
    super(handle, MatrixSource::free);
  }

  /**
   * Finds where the numbers are.
   *
   * @param optionsJson of {@link JobOptions}
   * @param names of all files of the listing, relative to their input
   * @param lengths of these files
   * @param reader reads them
   * @return the matrix
   * @throws InputException when the files are no such matrix
   * @throws IOException of {@code reader}
   */
  public static MatrixSource open(String optionsJson, String[] names, long[] lengths, Reader reader) throws IOException {
    Objects.requireNonNull(optionsJson, "optionsJson");
    Decomposition.requireElements(names, "names");
    Objects.requireNonNull(reader, "reader");
    if (names.length != lengths.length) {
      throw new IllegalArgumentException(names.length + " names and " + lengths.length + " lengths");
    }
    return new MatrixSource(open0(optionsJson, names, lengths, reader));
  }

  /**
   * The matrix that {@link #toBytes} was called on, in another process.
   *
   * @param bytes what it returned
   * @return an equal one
   */
  public static MatrixSource fromBytes(byte[] bytes) {
    return new MatrixSource(fromBytes0(Objects.requireNonNull(bytes, "bytes")));
  }

  /**
   * What tasks need, to be broadcast.
   *
   * @return bytes for {@link #fromBytes}
   */
  public byte[] toBytes() {
    return read(MatrixSource::toBytes0);
  }

  /**
   * The matrix as a series whose slices are its columns; {@link MatrixNumbers#plan} completes it.
   *
   * @return its plan
   */
  public SeriesPlan plan() {
    return read(MatrixSource::plan0);
  }

  /**
   * What the user is to be told of the files.
   *
   * @return sentences
   */
  public String[] notes() {
    return read(MatrixSource::notes0);
  }

  /**
   * Reads consecutive row blocks.
   *
   * @param lengths as {@link #open} got them
   * @param firstBlock index of the first
   * @param blocks how many
   * @param reader reads the files
   * @return block after block; in each, value i of column j is at {@code j * rows + i}
   * @throws InputException for what is no finite number, and for files that changed
   * @throws IOException of {@code reader}
   */
  public double[] read(long[] lengths, int firstBlock, int blocks, Reader reader) throws IOException {
    requireNonNegative(firstBlock, "firstBlock");
    requirePositive(blocks, "blocks");
    Objects.requireNonNull(lengths, "lengths");
    Objects.requireNonNull(reader, "reader");
    return read(handle -> read0(handle, lengths, firstBlock, blocks, reader));
  }

  /**
   * What consecutive row blocks are, for {@link MatrixNumbers#of}.
   *
   * @param firstBlock index of the first
   * @param columns n
   * @param blocks their values
   * @return bytes
   */
  public static byte[] summary(int firstBlock, int columns, double[][] blocks) {
    Decomposition.requireElements(blocks, "blocks");
    return summary0(requireNonNegative(firstBlock, "firstBlock"), requirePositive(columns, "columns"), blocks);
  }

  /**
   * The plan of a matrix that is in no file, as {@link #plan}.
   *
   * @param optionsJson of {@link JobOptions}
   * @param rows of it
   * @param columns of it
   * @return its plan
   * @throws InputException for a matrix without numbers or of too many columns
   * @throws UsageException for a rank that it cannot have
   */
  public static SeriesPlan planOfRows(String optionsJson, int rows, int columns) {
    Objects.requireNonNull(optionsJson, "optionsJson");
    return planOfRows0(optionsJson, requireNonNegative(rows, "rows"), requireNonNegative(columns, "columns"));
  }

  /**
   * The values of a row block that is in no file, as {@link #read} gives them.
   *
   * @param block index of it
   * @param columns n
   * @param values column after column
   * @return the same numbers, of which no zero has a sign
   * @throws InputException for what is no finite number, by row and column
   */
  public static double[] normalized(int block, int columns, double[] values) {
    Objects.requireNonNull(values, "values");
    return normalized0(requireNonNegative(block, "block"), requirePositive(columns, "columns"), values);
  }

  private static native SeriesPlan planOfRows0(String optionsJson, int rows, int columns);

  private static native double[] normalized0(int block, int columns, double[] values);

  private static native long open0(String optionsJson, String[] names, long[] lengths, Reader reader);

  private static native long fromBytes0(byte[] bytes);

  private static native void free(long handle);

  private static native byte[] toBytes0(long handle);

  private static native SeriesPlan plan0(long handle);

  private static native String[] notes0(long handle);

  private static native double[] read0(long handle, long[] lengths, int firstBlock, int blocks, Reader reader);

  private static native byte[] summary0(int firstBlock, int columns, double[][] blocks);
}
