package io.tomobasis.jni;

/**
 * What a pass finds in some row blocks, such as those of a partition.
 *
 * <p>Any thread may call it; calls wait for each other. It may outlive the pass that it was made from.
 */
public final class BlockPartials extends NativeObject {
  static {
    NativeLibrary.load();
  }

  /**
   * Nothing found yet.
   *
   * @param pass the pass that the blocks go through
   */
  public BlockPartials(BlockPass pass) {
    super(pass.read(BlockPartials::create), BlockPartials::free);
  }

  /**
   * Puts one row block through the pass.
   *
   * @param block index of the block
   * @param values {@code rows} x n stored integers, slice-major: pixel i of slice j is at {@code j * rows + i}
   * @param rows number of pixels in this block
   */
  public void add(int block, short[] values, int rows) {
    requireNonNegative(block, "block");
    requirePositive(rows, "rows");
    if (values.length == 0 || values.length % rows != 0) {
      throw new IllegalArgumentException("a block of " + rows + " rows cannot have " + values.length + " values");
    }
    write(
        handle -> {
          add0(handle, block, values, rows);
          return null;
        });
  }

  /**
   * Puts one row block of floats through the pass.
   *
   * @param block index of the block
   * @param values {@code rows} x n floats, column after column
   * @param rows of this block
   */
  public void add(int block, double[] values, int rows) {
    requireNonNegative(block, "block");
    requirePositive(rows, "rows");
    if (values.length == 0 || values.length % rows != 0) {
      throw new IllegalArgumentException("a block of " + rows + " rows cannot have " + values.length + " values");
    }
    this.<Void>write(
        handle -> {
          addReal0(handle, block, values, rows);
          return null;
        });
  }

  /**
   * Hands over what was found; nothing of it is kept here.
   *
   * @return bytes for {@link PassDriver#add}
   */
  public byte[] take() {
    return write(BlockPartials::take0);
  }

  private static native long create(long passHandle);

  private static native void free(long handle);

  private static native void add0(long handle, int block, short[] values, int rows);

  private static native void addReal0(long handle, int block, double[] values, int rows);

  private static native byte[] take0(long handle);
}
