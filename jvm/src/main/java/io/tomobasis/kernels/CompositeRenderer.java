package io.tomobasis.kernels;

import java.util.Objects;

/**
 * Turns row blocks into strips of composites: the stored values of all slices, rebuilt from fewer basis vectors.
 *
 * <p>Immutable: any number of threads may share one. It may outlive the decomposition that it was made from.
 */
public final class CompositeRenderer extends NativeObject {
  static {
    NativeLibrary.load();
  }

  /**
   * A renderer for the composites that the options of a decomposed series ask for.
   *
   * @param decomposition of that series
   */
  public CompositeRenderer(Decomposition decomposition) {
    super(decomposition.read(CompositeRenderer::create), CompositeRenderer::free);
  }

  /**
   * Renders the composites of one row block.
   *
   * @param block index of the block
   * @param values {@code rows} x n stored integers, slice-major: pixel i of slice j is at {@code j * rows + i}
   * @param rows number of pixels in this block
   * @param starts first place of each run that the slices are cut into, ascending from 0; the slices of one file have neighbouring
   *     places, and files the order of their first slices
   * @return one strip for each run, for {@link DerivedSlices#add}
   */
  public byte[][] render(int block, short[] values, int rows, int[] starts) {
    requireNonNegative(block, "block");
    requirePositive(rows, "rows");
    Objects.requireNonNull(starts, "starts");
    if (values.length == 0 || values.length % rows != 0) {
      throw new IllegalArgumentException("a block of " + rows + " rows cannot have " + values.length + " values");
    }
    return read(handle -> render0(handle, block, values, rows, starts));
  }

  private static native long create(long decompositionHandle);

  private static native void free(long handle);

  private static native byte[][] render0(long handle, int block, short[] values, int rows, int[] starts);
}
