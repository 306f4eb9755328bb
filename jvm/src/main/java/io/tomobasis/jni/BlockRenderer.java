package io.tomobasis.jni;

import java.util.Objects;

/**
 * Turns row blocks into their part of the result: basis vectors, digests, bands of the pictures, and of composites for derived
 * DICOM.
 *
 * <p>Immutable: any number of threads may share one. It may outlive the decomposition that it was made from.
 */
public final class BlockRenderer extends NativeObject {
  static {
    NativeLibrary.load();
  }

  /**
   * A renderer for the row blocks of a decomposed series.
   *
   * @param decomposition of that series
   */
  public BlockRenderer(Decomposition decomposition) {
    super(decomposition.read(BlockRenderer::create), BlockRenderer::free);
  }

  /**
   * Renders one row block.
   *
   * @param block index of the block
   * @param values {@code rows} x n stored integers, slice-major: pixel i of slice j is at {@code j * rows + i}
   * @param rows number of pixels in this block
   * @param sliceRecords of all slices when this block was read, as {@link SliceDecoder#decode} gives them
   * @param starts first place of each run that derived DICOM cuts the slices into, ascending from 0; the slices of one file have
   *     consecutive places, and files the order of their first slices
   * @return what it adds to the result
   * @throws InputException for a block of other pixels than those that were decomposed: a file has changed
   */
  public BlockParts render(int block, short[] values, int rows, byte[] sliceRecords, int[] starts) {
    requireBlock(block, values.length, rows);
    Objects.requireNonNull(sliceRecords, "sliceRecords");
    Objects.requireNonNull(starts, "starts");
    return read(handle -> render0(handle, block, values, rows, sliceRecords, starts));
  }

  /**
   * Renders one row block of a matrix of floats.
   *
   * @param block index of the block
   * @param values {@code rows} x n floats, column after column
   * @param rows of this block
   * @param columnRecords of all columns, as {@link ColumnDigests#records} gives them
   * @return what it adds to the result
   */
  public BlockParts render(int block, double[] values, int rows, byte[] columnRecords) {
    requireBlock(block, values.length, rows);
    Objects.requireNonNull(columnRecords, "columnRecords");
    return read(handle -> renderReal0(handle, block, values, rows, columnRecords));
  }

  /**
   * The basis vectors of one row block, as numbers.
   *
   * @param block index of the block
   * @param values {@code rows} x n stored pixels, slice-major
   * @param rows of this block
   * @param sliceRecords of all slices when this block was read, as {@link SliceDecoder#decode} gives them
   * @return rows x k of them
   * @throws InputException for a block of other numbers than those that were decomposed
   */
  public BlockBasis basis(int block, short[] values, int rows, byte[] sliceRecords) {
    requireBlock(block, values.length, rows);
    Objects.requireNonNull(sliceRecords, "sliceRecords");
    return read(handle -> basis0(handle, block, values, rows, sliceRecords));
  }

  /**
   * The basis vectors of one row block of a matrix of floats, as numbers.
   *
   * @param block index of the block
   * @param values {@code rows} x n floats, column after column
   * @param rows of this block
   * @param columnRecords of all columns, as {@link ColumnDigests#records} gives them
   * @return rows x k of them
   * @throws InputException for a block of other numbers than those that were decomposed
   */
  public BlockBasis basis(int block, double[] values, int rows, byte[] columnRecords) {
    requireBlock(block, values.length, rows);
    Objects.requireNonNull(columnRecords, "columnRecords");
    return read(handle -> basisReal0(handle, block, values, rows, columnRecords));
  }

  /**
   * A composite of one row block, as numbers: of the first basis vectors, their singular values and weights.
   *
   * @param block index of the block
   * @param values {@code rows} x n stored pixels, slice-major
   * @param rows of this block
   * @param sliceRecords of all slices when this block was read, as {@link SliceDecoder#decode} gives them
   * @param rank of the composite, from 1 to k
   * @return in HU; row i of column j is at {@code j * rows + i}
   * @throws InputException for a block of other numbers than those that were decomposed
   */
  public double[] composite(int block, short[] values, int rows, byte[] sliceRecords, int rank) {
    requireBlock(block, values.length, rows);
    Objects.requireNonNull(sliceRecords, "sliceRecords");
    return read(handle -> composite0(handle, block, values, rows, sliceRecords, rank));
  }

  /**
   * A composite of one row block of a matrix of floats, as numbers: of the first basis vectors, their singular values and weights.
   *
   * @param block index of the block
   * @param values {@code rows} x n floats, column after column
   * @param rows of this block
   * @param columnRecords of all columns, as {@link ColumnDigests#records} gives them
   * @param rank of the composite, from 1 to k
   * @return in HU; row i of column j is at {@code j * rows + i}
   * @throws InputException for a block of other numbers than those that were decomposed
   */
  public double[] composite(int block, double[] values, int rows, byte[] columnRecords, int rank) {
    requireBlock(block, values.length, rows);
    Objects.requireNonNull(columnRecords, "columnRecords");
    return read(handle -> compositeReal0(handle, block, values, rows, columnRecords, rank));
  }

  private static void requireBlock(int block, int values, int rows) {
    requireNonNegative(block, "block");
    requirePositive(rows, "rows");
    if (values == 0 || values % rows != 0) {
      throw new IllegalArgumentException("a block of " + rows + " rows cannot have " + values + " values");
    }
  }

  /**
   * Puts the pictures together from the bands of all row blocks.
   *
   * @param bands of every row block, in the order of their index
   * @return PNG files
   */
  public NamedFile[] pictures(byte[][] bands) {
    Decomposition.requireElements(bands, "bands");
    return read(handle -> pictures0(handle, bands));
  }

  private static native long create(long decompositionHandle);

  private static native void free(long handle);

  private static native BlockParts render0(
      long handle, int block, short[] values, int rows, byte[] sliceRecords, int[] starts);

  private static native BlockParts renderReal0(long handle, int block, double[] values, int rows, byte[] columnRecords);

  private static native BlockBasis basis0(long handle, int block, short[] values, int rows, byte[] sliceRecords);

  private static native BlockBasis basisReal0(long handle, int block, double[] values, int rows, byte[] columnRecords);

  private static native double[] composite0(
      long handle, int block, short[] values, int rows, byte[] sliceRecords, int rank);

  private static native double[] compositeReal0(
      long handle, int block, double[] values, int rows, byte[] columnRecords, int rank);

  private static native NamedFile[] pictures0(long handle, byte[][] bands);
}
