package io.tomobasis.jni;

import java.util.Objects;

/**
 * Sums the Gram matrix of a series over its row blocks, exactly: blocks and sums may be added in any order.
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
   * A range of the sums so far, of about the same size as the others.
   *
   * @param part which, from 0
   * @param parts into how many the sums are cut
   * @return bytes for {@link #sum} and {@link Decomposition#compute}; equal sums have equal bytes
   */
  public byte[] part(int part, int parts) {
    return read(handle -> part0(handle, part, parts));
  }

  /**
   * Adds the same range of two accumulators over the same slices.
   *
   * @param one what {@link #part} or this method returned
   * @param other likewise
   * @return bytes as those of {@link #part}
   */
  public static byte[] sum(byte[] one, byte[] other) {
    return sum0(Objects.requireNonNull(one, "one"), Objects.requireNonNull(other, "other"));
  }

  private static native long create(int columns);

  private static native void free(long handle);

  private static native void add0(long handle, short[] block, int rows);

  private static native byte[] part0(long handle, int part, int parts);

  private static native byte[] sum0(byte[] one, byte[] other);
}
