package io.tomobasis.jni;

import java.util.Objects;

/**
 * How the numbers of a matrix are kept, as integers of 16 bits or as floats, and what its row blocks were when that was decided.
 *
 * <p>Immutable: any number of threads may share one.
 */
public final class MatrixNumbers extends NativeObject {
  static {
    NativeLibrary.load();
  }

  private MatrixNumbers(long handle) {
    super(handle, MatrixNumbers::free);
  }

  /**
   * Decides it for the whole matrix.
   *
   * @param planJson of {@link MatrixSource#plan}
   * @param summaries of all row blocks ({@link MatrixSource#summary}), in any order
   * @return how they are kept
   * @throws InputException for numbers that are too large or too small
   */
  public static MatrixNumbers of(String planJson, byte[][] summaries) {
    Objects.requireNonNull(planJson, "planJson");
    Decomposition.requireElements(summaries, "summaries");
    return new MatrixNumbers(of0(planJson, summaries));
  }

  /**
   * What {@link #toBytes} was called on, in another process.
   *
   * @param bytes what it returned
   * @return an equal object
   */
  public static MatrixNumbers fromBytes(byte[] bytes) {
    return new MatrixNumbers(fromBytes0(Objects.requireNonNull(bytes, "bytes")));
  }

  /**
   * What tasks need, to be broadcast.
   *
   * @return bytes for {@link #fromBytes}
   */
  public byte[] toBytes() {
    return read(MatrixNumbers::toBytes0);
  }

  /**
   * Whether they are floats.
   *
   * @return whether; else they are integers of 16 bits
   */
  public boolean real() {
    return read(MatrixNumbers::real0);
  }

  /**
   * How many sums of integers a {@link RealGramAccumulator} has for them.
   *
   * @return their number
   * @throws InputException for a column whose values span too many digits
   */
  public int sums() {
    return read(MatrixNumbers::sums0);
  }

  /**
   * The plan of a matrix of such numbers.
   *
   * @param planJson of {@link MatrixSource#plan}
   * @return the whole plan
   */
  public String plan(String planJson) {
    Objects.requireNonNull(planJson, "planJson");
    return read(handle -> plan0(handle, planJson));
  }

  /**
   * Refuses a row block that is not what it was: a file has changed.
   *
   * @param block its index
   * @param values of it
   * @throws InputException when it is another
   */
  public void check(int block, double[] values) {
    requireNonNegative(block, "block");
    Objects.requireNonNull(values, "values");
    this.<Void>read(
        handle -> {
          check0(handle, block, values);
          return null;
        });
  }

  /**
   * A row block as integers of 16 bits.
   *
   * @param values of a matrix of such integers
   * @return the values, less what the plan says
   */
  public short[] stored(double[] values) {
    Objects.requireNonNull(values, "values");
    return read(handle -> stored0(handle, values));
  }

  private static native long of0(String planJson, byte[][] summaries);

  private static native long fromBytes0(byte[] bytes);

  private static native void free(long handle);

  private static native byte[] toBytes0(long handle);

  private static native boolean real0(long handle);

  private static native int sums0(long handle);

  private static native String plan0(long handle, String planJson);

  private static native void check0(long handle, int block, double[] values);

  private static native short[] stored0(long handle, double[] values);
}
