package io.tomobasis.jni;

import java.util.Objects;

/**
 * Singular values and weights of a series, correctly rounded, with what the result folder says about them.
 *
 * <p>Immutable: any number of threads may share one.
 */
public final class Decomposition extends NativeObject {
  static {
    NativeLibrary.load();
  }

  Decomposition(long handle) {
    super(handle, Decomposition::free);
  }

  /**
   * Decomposes a series, given its exact Gram matrix.
   *
   * @param planJson of the {@link SeriesPlan}
   * @param optionsJson of the {@link JobOptions}
   * @param gram all parts of the whole series' {@link GramAccumulator#part}, in their order
   * @param sliceRecords what {@link SliceDecoder#decode} returned for each slice, concatenated in the plan's order (32 n bytes)
   * @param threads number of threads to use; the result does not depend on it
   * @return the decomposition
   * @throws UsageException when more basis vectors were asked for than there are slices
   * @throws ComputationException when the result could not be certified
   */
  public static Decomposition compute(String planJson, String optionsJson, byte[][] gram, byte[] sliceRecords, int threads) {
    Objects.requireNonNull(planJson, "planJson");
    Objects.requireNonNull(optionsJson, "optionsJson");
    requireElements(gram, "gram");
    Objects.requireNonNull(sliceRecords, "sliceRecords");
    return new Decomposition(compute0(planJson, optionsJson, gram, sliceRecords, requirePositive(threads, "threads")));
  }

  /**
   * Decomposes a matrix of floats, given its exact Gram matrix.
   *
   * @param planJson of {@link MatrixNumbers#plan}
   * @param optionsJson of the {@link JobOptions}
   * @param numbers of the whole matrix
   * @param gram all parts of the first of its {@link RealGramAccumulator}'s sums in their order, then those of the next
   * @param columnRecords of all columns, as {@link ColumnDigests#records} gives them
   * @param threads number of threads to use; the result does not depend on it
   * @return the decomposition
   * @throws ComputationException when the result could not be certified
   */
  public static Decomposition computeReal(
      String planJson, String optionsJson, MatrixNumbers numbers, byte[][] gram, byte[] columnRecords, int threads) {
    Objects.requireNonNull(planJson, "planJson");
    Objects.requireNonNull(optionsJson, "optionsJson");
    requireElements(gram, "gram");
    Objects.requireNonNull(columnRecords, "columnRecords");
    requirePositive(threads, "threads");
    return new Decomposition(
        numbers.<Long>read(handle -> computeReal0(planJson, optionsJson, handle, gram, columnRecords, threads)));
  }

  /**
   * The decomposition that {@link #toBytes} was called on, in another process.
   *
   * @param bytes what it returned
   * @return an equal decomposition
   */
  public static Decomposition fromBytes(byte[] bytes) {
    return new Decomposition(fromBytes0(Objects.requireNonNull(bytes, "bytes")));
  }

  /**
   * What executors need, to be broadcast.
   *
   * @return bytes for {@link #fromBytes}, about 8 n k of them
   */
  public byte[] toBytes() {
    return read(Decomposition::toBytes0);
  }

  /**
   * What decoding found that the user is to be told.
   *
   * @return sentences
   */
  public String[] notes() {
    return read(Decomposition::notes0);
  }

  /**
   * The singular values.
   *
   * @return k of them, descending, in HU
   */
  public double[] singularValues() {
    return read(Decomposition::singularValues0);
  }

  /**
   * The weights V.
   *
   * @return n x k of them, row by row: those of the first slice first
   */
  public double[] weights() {
    return read(Decomposition::weights0);
  }

  /**
   * What the leading singular values hold of the whole.
   *
   * @return for the first 1, 2, ... k of them, their share of {@link #energy}
   */
  public double[] cumulativeEnergy() {
    return read(Decomposition::cumulativeEnergy0);
  }

  /**
   * The sum of all squares of the matrix, without the means that the method removes.
   *
   * @return it, in HU squared
   */
  public double energy() {
    return read(Decomposition::energy0);
  }

  /**
   * The root digest of the result.
   *
   * @param blockRecords the record of every row block ({@link BlockRenderer#basis}), in any order
   * @return 64 hexadecimal digits
   */
  public String root(byte[][] blockRecords) {
    requireElements(blockRecords, "blockRecords");
    return read(handle -> root0(handle, blockRecords));
  }

  /**
   * What the manifest of a result folder would say of the result.
   *
   * @param blockRecords as for {@link #root}
   * @return its sections {@code series}, {@code parameters}, {@code result} and {@code digests}, as JSON
   */
  public String summary(byte[][] blockRecords) {
    requireElements(blockRecords, "blockRecords");
    return read(handle -> summary0(handle, blockRecords));
  }

  /**
   * How many composites are rendered.
   *
   * @return their number
   */
  public int composites() {
    return read(Decomposition::composites0);
  }

  /**
   * The last lines of a run, for the user.
   *
   * @param root the root digest ({@link #finish})
   * @param output the result folder
   * @return lines: series, rank, leading singular values, root digest, where the result is
   */
  public String closing(String root, String output) {
    Objects.requireNonNull(root, "root");
    Objects.requireNonNull(output, "output");
    return read(handle -> closing0(handle, root, output));
  }

  /**
   * Makes the files of the result folder that are about the whole series: manifest, small tables, report, pictures.
   *
   * @param blockRecords the record of every row block ({@link BlockRenderer#render}), in the order of their index
   * @param derivedRecords the records of every derived file ({@link DerivedSlices#write}), in any order; none where no derived
   *     DICOM was asked for
   * @param pictures what {@link BlockRenderer#pictures} returned
   * @param environmentJson versions, sizes and timings of this run, for the manifest
   * @return the root digest, and the files to write
   */
  public ResultFiles finish(
      byte[][] blockRecords, byte[][] derivedRecords, NamedFile[] pictures, String environmentJson) {
    requireElements(blockRecords, "blockRecords");
    requireElements(derivedRecords, "derivedRecords");
    requireElements(pictures, "pictures");
    Objects.requireNonNull(environmentJson, "environmentJson");
    return read(handle -> finish0(handle, blockRecords, derivedRecords, pictures, environmentJson));
  }

  static void requireElements(Object[] array, String name) {
    for (Object element : array) {
      Objects.requireNonNull(element, name);
    }
  }

  private static native long compute0(String planJson, String optionsJson, byte[][] gram, byte[] sliceRecords, int threads);

  private static native long computeReal0(
      String planJson, String optionsJson, long numbersHandle, byte[][] gram, byte[] columnRecords, int threads);

  private static native long fromBytes0(byte[] bytes);

  private static native void free(long handle);

  private static native byte[] toBytes0(long handle);

  private static native String[] notes0(long handle);

  private static native double[] singularValues0(long handle);

  private static native double[] weights0(long handle);

  private static native double[] cumulativeEnergy0(long handle);

  private static native double energy0(long handle);

  private static native String root0(long handle, byte[][] blockRecords);

  private static native String summary0(long handle, byte[][] blockRecords);

  private static native int composites0(long handle);

  private static native String closing0(long handle, String root, String output);

  private static native ResultFiles finish0(
      long handle, byte[][] blockRecords, byte[][] derivedRecords, NamedFile[] pictures, String environmentJson);
}
