package io.tomobasis.jni;

import java.util.Objects;

/**
 * Sums the Gram matrix of a series over its row blocks, exactly: blocks and sums may be added in any order. Blocks, sums and parts
 * have checks, by which numbers that were changed on their way or while they were computed are found.
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
   * @param check the {@link #blockCheck} of the values where they came from
   * @throws DamagedException for other values
   */
  public void add(short[] block, int rows, long check) {
    requirePositive(rows, "rows");
    if (block.length != (long) rows * columns) {
      throw new IllegalArgumentException(
          "a block of " + rows + " rows and " + columns + " columns has " + (long) rows * columns + " values, not " + block.length);
    }
    write(
        handle -> {
          add0(handle, block, rows, check);
          return null;
        });
  }

  /**
   * A range of the sums so far, of about the same size as the others.
   *
   * @param part which, from 0
   * @param parts into how many the sums are cut
   * @return bytes for {@link #sum} and {@link Decomposition#compute}; equal sums have equal bytes
   * @throws DamagedException where the sums are not those of the blocks
   */
  public byte[] part(int part, int parts) {
    return write(handle -> part0(handle, part, parts));
  }

  /**
   * Adds the same range of two accumulators over the same slices.
   *
   * @param one what {@link #part} or this method returned
   * @param other likewise
   * @return bytes as those of {@link #part}
   * @throws DamagedException where one of them, or their sum, is not what it was
   */
  public static byte[] sum(byte[] one, byte[] other) {
    return sum0(Objects.requireNonNull(one, "one"), Objects.requireNonNull(other, "other"));
  }

  /**
   * The check of the values of some consecutive columns of a row block. Those of all its columns add up to that of the block.
   *
   * @param values {@code rows} stored integers of each column, column after column
   * @param rows of the block
   * @param firstColumn the column in the matrix that the values begin with
   * @return from 0 to 2^31 - 2
   */
  public static long blockCheck(short[] values, int rows, int firstColumn) {
    return blockCheck0(Objects.requireNonNull(values, "values"), requirePositive(rows, "rows"), firstColumn);
  }

  /**
   * Refuses a row block whose values are not those of its check.
   *
   * @param block as that of {@link #add}
   * @param rows likewise
   * @param check likewise
   * @throws DamagedException for other values
   */
  public static void verifyBlock(short[] block, int rows, long check) {
    verifyBlock0(Objects.requireNonNull(block, "block"), requirePositive(rows, "rows"), check);
  }

  private static native long create(int columns);

  private static native void free(long handle);

  private static native void add0(long handle, short[] block, int rows, long check);

  private static native byte[] part0(long handle, int part, int parts);

  private static native byte[] sum0(byte[] one, byte[] other);

  private static native long blockCheck0(short[] values, int rows, int firstColumn);

  private static native void verifyBlock0(short[] values, int rows, long check);
}
