package io.tomobasis.jni;

import java.util.Objects;

/**
 * The driver's part of denoising a series in bands of rows.
 *
 * <p>Steps, each done by tasks in all bands ({@link BandDenoiser#run}): {@link #passes} that find the noise, one that denoises, as many
 * passes as before that measure what was removed. After the first of these, small details may be tried: {@link #probes}, {@link
 * #addPlaces}, {@link #surroundings}, {@link #addKept}. Then the instances are made ({@link BandDenoiser#derive}), and {@link
 * #finish} makes the rest.
 *
 * <p>Any thread may call it; calls that change it wait for the others.
 */
public final class DenoiseDriver extends NativeObject {
  static {
    NativeLibrary.load();
  }

  /**
   * Begins.
   *
   * @param planJson of the {@link SeriesPlan}
   * @param optionsJson of {@link JobOptions} that denoise
   * @throws InputException when the series cannot be denoised
   */
  public DenoiseDriver(String planJson, String optionsJson) {
    super(
        create(Objects.requireNonNull(planJson, "planJson"), Objects.requireNonNull(optionsJson, "optionsJson")),
        DenoiseDriver::free);
  }

  /**
   * Passes over the bands by which the noise is found, and as many by which the effect is.
   *
   * @return always the same
   */
  public static native int passes();

  /**
   * The rows that a band must hold.
   *
   * @param first row of the band
   * @param count of its rows
   * @return the first row that it holds, and how many
   */
  public int[] held(int first, int count) {
    requireNonNegative(first, "first");
    requirePositive(count, "count");
    return read(handle -> held0(handle, first, count));
  }

  /**
   * What tasks need for the next step, to be broadcast.
   *
   * @return bytes for {@link BandDenoiser}
   */
  public byte[] step() {
    return read(DenoiseDriver::step0);
  }

  /**
   * Takes what a step has found.
   *
   * @param found of every band, in any order
   * @param sliceRecords what {@link SliceDecoder#decode} returned for each slice; more than one list of all where bands differ in it,
   *     which is refused
   * @throws InputException when the input has changed meanwhile, or noise cannot be found in it
   */
  public void add(byte[][] found, byte[] sliceRecords) {
    Decomposition.requireElements(found, "found");
    Objects.requireNonNull(sliceRecords, "sliceRecords");
    write(
        handle -> {
          add0(handle, found, sliceRecords);
          return null;
        });
  }

  /**
   * What decoding found that the user is to be told; known after the first pass.
   *
   * @return sentences
   */
  public String[] notes() {
    return read(DenoiseDriver::notes0);
  }

  /**
   * Where places for small details are looked for.
   *
   * @return slices, one of them perhaps several times; none where the size of pixels is unknown
   */
  public int[] probes() {
    return read(DenoiseDriver::probes0);
  }

  /**
   * Takes the places that were found.
   *
   * @param places of {@link BandDenoiser#place}, in the order of the probes, without those that have none
   */
  public void addPlaces(byte[][] places) {
    Decomposition.requireElements(places, "places");
    write(
        handle -> {
          addPlaces0(handle, places);
          return null;
        });
  }

  /**
   * The part of the volume around each place.
   *
   * @return four numbers for each: first slice, how many, first row, how many
   */
  public int[] surroundings() {
    return read(DenoiseDriver::surroundings0);
  }

  /**
   * Takes what is left of small details.
   *
   * @param kept of {@link BandDenoiser#kept}, in the order of the places
   */
  public void addKept(double[] kept) {
    Objects.requireNonNull(kept, "kept");
    write(
        handle -> {
          addKept0(handle, kept);
          return null;
        });
  }

  /**
   * What the manifest says of series, parameters, noise and effect; known after the last step, whether files are made or not.
   *
   * @return a JSON object ({@code docs/denoise.md})
   */
  public String summary() {
    return read(DenoiseDriver::summary0);
  }

  /**
   * What the user must know of the result; known after the last step.
   *
   * @return sentences
   */
  public String[] remarks() {
    return read(DenoiseDriver::remarks0);
  }

  /**
   * The slice that pictures show.
   *
   * @return its place in the series
   */
  public int shown() {
    return read(DenoiseDriver::shown0);
  }

  /**
   * Makes the files of the folder that are about the whole series: pictures, report, manifest.
   *
   * @param before stored values of the slice that is shown
   * @param after the same, denoised
   * @param samples of every {@link BandDenoiser#samples}, in any order
   * @param derivedRecords of every {@link BandDenoiser#derive}, in any order
   * @param environmentJson versions, sizes and timings of this run, for the manifest
   * @return the digest of the denoised pixels, and the files to write
   */
  public ResultFiles finish(
      short[] before, short[] after, byte[][] samples, byte[][] derivedRecords, String environmentJson) {
    Objects.requireNonNull(before, "before");
    Objects.requireNonNull(after, "after");
    Decomposition.requireElements(samples, "samples");
    Decomposition.requireElements(derivedRecords, "derivedRecords");
    Objects.requireNonNull(environmentJson, "environmentJson");
    return write(handle -> finish0(handle, before, after, samples, derivedRecords, environmentJson));
  }

  /**
   * The last lines of a run, for the user; known after {@link #finish}.
   *
   * @return lines: series, noise, what was removed, where the result is
   */
  public String closing() {
    return read(DenoiseDriver::closing0);
  }

  private static native long create(String planJson, String optionsJson);

  private static native void free(long handle);

  private static native int[] held0(long handle, int first, int count);

  private static native byte[] step0(long handle);

  private static native void add0(long handle, byte[][] found, byte[] sliceRecords);

  private static native String[] notes0(long handle);

  private static native int[] probes0(long handle);

  private static native void addPlaces0(long handle, byte[][] places);

  private static native int[] surroundings0(long handle);

  private static native void addKept0(long handle, double[] kept);

  private static native String summary0(long handle);

  private static native String[] remarks0(long handle);

  private static native int shown0(long handle);

  private static native ResultFiles finish0(
      long handle, short[] before, short[] after, byte[][] samples, byte[][] derivedRecords, String environmentJson);

  private static native String closing0(long handle);
}
