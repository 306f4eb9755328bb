package io.tomobasis.kernels;

import java.util.Objects;

/**
 * Sums the Gram matrix of a series over its row blocks, exactly: blocks may be added and sums merged in any order.
 *
 * <p>Any thread may call it; calls wait for each other.
 */
public final class GramAccumulator extends NativeObject {
  static {
    NativeLibrary.load();
  }

  private final int columns;

  /**
   * An empty sum.
   *
   * @param columns number of slices n
   */
  public GramAccumulator(int columns) {
    super(create(requirePositive(columns, "columns")), GramAccumulator::free);
    this.columns = columns;
  }

  /**
   * Adds one row block.
   *
   * @param block {@code rows} x n stored integers, slice-major: pixel i of slice j is at {@code j * rows + i}
   * @param rows number of pixels in this block
   */
  public void add(short[] block, int rows) {
    requirePositive(rows, "rows");
    if (block.length != (long) rows * columns) {
      throw new IllegalArgumentException(
          "a block of " + rows + " rows and " + columns + " columns has " + (long) rows * columns + " values, not " + block.length);
    }
    write(
        handle -> {
          add0(handle, block, rows);
          return null;
        });
  }

  /**
   * Adds the sum of another accumulator over the same slices.
   *
   * @param other what its {@link #toBytes} returned
   */
  public void merge(byte[] other) {
    Objects.requireNonNull(other, "other");
    write(
        handle -> {
          merge0(handle, other);
          return null;
        });
  }

  /**
   * The sum so far.
   *
   * @return bytes for {@link #merge} and {@link Decomposition#compute}; equal sums have equal bytes
   */
  public byte[] toBytes() {
    return read(GramAccumulator::toBytes0);
  }

  private static native long create(int columns);

  private static native void free(long handle);

  private static native void add0(long handle, short[] block, int rows);

  private static native void merge0(long handle, byte[] other);

  private static native byte[] toBytes0(long handle);
}
