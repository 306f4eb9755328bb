package io.tomobasis.jni;

import java.util.Objects;
import java.util.Optional;

/**
 * Decomposes a series by a method whose sums have a fixed order ({@code tsqr}, {@code dssvd}, {@code dspca}), pass by pass over its
 * row blocks: while {@link #pass} gives one, every block goes through a {@link BlockPass} of it, and {@link #add} goes on.
 *
 * <p>The result depends neither on where the blocks are nor on their order. Any thread may call it; calls wait for each other.
 */
public final class PassDriver extends NativeObject {
  static {
    NativeLibrary.load();
  }

  /**
   * Before the first pass.
   *
   * @param planJson of the {@link SeriesPlan}
   * @param optionsJson of the {@link JobOptions}
   * @param real whether it is a matrix of floats
   * @throws UsageException when more basis vectors were asked for than there are slices, or pixels
   */
  public PassDriver(String planJson, String optionsJson, boolean real) {
    super(
        create(Objects.requireNonNull(planJson, "planJson"), Objects.requireNonNull(optionsJson, "optionsJson"), real),
        PassDriver::free);
  }

  /**
   * Before the first pass over a scan.
   *
   * @param planJson of the {@link SeriesPlan}
   * @param optionsJson of the {@link JobOptions}
   */
  public PassDriver(String planJson, String optionsJson) {
    this(planJson, optionsJson, false);
  }

  /**
   * How many passes are left.
   *
   * @return their number, with the one under way
   */
  public int left() {
    return read(PassDriver::left0);
  }

  /**
   * Refuses passes that would bring more to the driver than Spark lets through.
   *
   * @param limit {@code spark.driver.maxResultSize} in bytes; 0 is no limit
   * @param partitions even runs that the row blocks are in
   * @throws UsageException when it is not enough
   */
  public void checkResults(long limit, int partitions) {
    requirePositive(partitions, "partitions");
    this.<Void>read(
        handle -> {
          checkResults0(handle, limit, partitions);
          return null;
        });
  }

  /**
   * The pass under way.
   *
   * @return bytes for {@link BlockPass}, to be broadcast; none after the last pass
   */
  public Optional<byte[]> pass() {
    return Optional.ofNullable(read(PassDriver::pass0));
  }

  /**
   * Takes what the pass found and goes on to the next.
   *
   * @param partials what {@link BlockPartials#take} returned for all row blocks, in any order; each block once
   * @param threads number of threads to use; the result does not depend on it
   * @throws ComputationException when blocks are missing, or are not of this pass
   */
  public void add(byte[][] partials, int threads) {
    Decomposition.requireElements(partials, "partials");
    requirePositive(threads, "threads");
    write(
        handle -> {
          add0(handle, partials, threads);
          return null;
        });
  }

  /**
   * The decomposition, after the last pass. The driver can then only be closed.
   *
   * @param sliceRecords as for {@link Decomposition#compute}
   * @return the decomposition
   * @throws InputException when nothing is left to decompose
   */
  public Decomposition finish(byte[] sliceRecords) {
    Objects.requireNonNull(sliceRecords, "sliceRecords");
    return new Decomposition(this.<Long>write(handle -> finish0(handle, sliceRecords)));
  }

  private static native long create(String planJson, String optionsJson, boolean real);

  private static native void free(long handle);

  private static native int left0(long handle);

  private static native void checkResults0(long handle, long limit, int partitions);

  private static native byte[] pass0(long handle);

  private static native void add0(long handle, byte[][] partials, int threads);

  private static native long finish0(long handle, byte[] sliceRecords);
}
