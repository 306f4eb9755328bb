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
    requireNonNegative(block, "block");
    requirePositive(rows, "rows");
    Objects.requireNonNull(sliceRecords, "sliceRecords");
    Objects.requireNonNull(starts, "starts");
    if (values.length == 0 || values.length % rows != 0) {
      throw new IllegalArgumentException("a block of " + rows + " rows cannot have " + values.length + " values");
    }
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
    requireNonNegative(block, "block");
    requirePositive(rows, "rows");
    Objects.requireNonNull(columnRecords, "columnRecords");
    if (values.length == 0 || values.length % rows != 0) {
      throw new IllegalArgumentException("a block of " + rows + " rows cannot have " + values.length + " values");
    }
    return read(handle -> renderReal0(handle, block, values, rows, columnRecords));
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

  private static native NamedFile[] pictures0(long handle, byte[][] bands);
}
