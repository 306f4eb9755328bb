package io.tomobasis.jni;

/**
 * Sums the Gram matrix of a matrix of floats over its row blocks, exactly: as several sums of integers, which are added up one by one
 * as those of {@link GramAccumulator} are.
 *
 * <p>Any thread may call it; calls wait for each other. It may outlive the numbers that it was made from.
 */
public final class RealGramAccumulator extends NativeObject {
  static {
    NativeLibrary.load();
  }

  /**
   * Empty sums.
   *
   * @param numbers of the whole matrix
   * @throws InputException for a column whose values span too many digits
   */
  public RealGramAccumulator(MatrixNumbers numbers) {
    super(numbers.read(RealGramAccumulator::create), RealGramAccumulator::free);
  }

  /**
   * How many sums of integers there are.
   *
   * @return their number
   */
  public int sums() {
    return read(RealGramAccumulator::sums0);
  }

  /**
   * Adds one row block.
   *
   * @param block {@code rows} x n floats, column after column
   * @param rows of this block
   */
  public void add(double[] block, int rows) {
    requirePositive(rows, "rows");
    if (block.length == 0 || block.length % rows != 0) {
      throw new IllegalArgumentException("a block of " + rows + " rows cannot have " + block.length + " values");
    }
    this.<Void>write(
        handle -> {
          add0(handle, block, rows);
          return null;
        });
  }

  /**
   * A range of one of the sums, of about the same size as the others.
   *
   * @param sum which of the sums, from 0
   * @param part which range of it, from 0
   * @param parts into how many a sum is cut
   * @return bytes for {@link GramAccumulator#sum} and {@link Decomposition#computeReal}
   */
  public byte[] part(int sum, int part, int parts) {
    return read(handle -> part0(handle, sum, part, parts));
  }

  private static native long create(long numbersHandle);

  private static native void free(long handle);

  private static native int sums0(long handle);

  private static native void add0(long handle, double[] block, int rows);

  private static native byte[] part0(long handle, int sum, int part, int parts);
}
