package io.tomobasis.jni;

import java.util.Objects;

/**
 * The records of some columns of a matrix, from their pieces.
 *
 * <p>Any thread may call it; calls wait for each other. It may outlive the numbers that it was made from.
 */
public final class ColumnDigests extends NativeObject {
  static {
    NativeLibrary.load();
  }

  /**
   * Before the first row.
   *
   * @param numbers how the matrix's numbers are kept
   * @param columns how many columns
   */
  public ColumnDigests(MatrixNumbers numbers, int columns) {
    super(numbers.read(handle -> create(handle, requirePositive(columns, "columns"))), ColumnDigests::free);
  }

  /**
   * Takes the columns' values in the next row block.
   *
   * @param piece column after column
   */
  public void add(double[] piece) {
    Objects.requireNonNull(piece, "piece");
    this.<Void>write(
        handle -> {
          add0(handle, piece);
          return null;
        });
  }

  /**
   * The records, once all row blocks were added.
   *
   * @return as {@link SliceDecoder#decode} gives them for slices, in the order of the columns
   */
  public byte[] records() {
    return read(ColumnDigests::records0);
  }

  private static native long create(long numbersHandle, int columns);

  private static native void free(long handle);

  private static native void add0(long handle, double[] piece);

  private static native byte[] records0(long handle);
}
