package io.tomobasis.jni;

import java.util.Objects;

/**
 * What tasks do when a series is denoised in bands of rows.
 *
 * <p>Immutable: any number of threads may share one.
 */
public final class BandDenoiser extends NativeObject {
  static {
    NativeLibrary.load();
  }

  /**
   * For one step.
   *
   * @param step of {@link DenoiseDriver#step}
   */
  public BandDenoiser(byte[] step) {
    super(create(Objects.requireNonNull(step, "step")), BandDenoiser::free);
  }

  /**
   * Does the step in a band.
   *
   * @param first row of the band
   * @param count of its rows
   * @param before stored values of the rows that {@link DenoiseDriver#held} names, slice after slice
   * @param after the same, denoised, where the effect is measured; else null
   * @param sliceRecords what {@link SliceDecoder#decode} returned for each slice when the band was read, in the plan's order
   * @return what the step makes of it
   * @throws InputException when the input has changed since it was first read
   */
  public DenoisedBand run(int first, int count, short[] before, short[] after, byte[] sliceRecords) {
    requireNonNegative(first, "first");
    requirePositive(count, "count");
    Objects.requireNonNull(before, "before");
    Objects.requireNonNull(sliceRecords, "sliceRecords");
    return read(handle -> run0(handle, first, count, before, after, sliceRecords));
  }

  /**
   * What the report shows of a band.
   *
   * @param first row of the band
   * @param count of its rows
   * @param before as for {@link #run}
   * @param after the denoised values of the band's own rows, slice after slice
   * @param sliceRecords as for {@link #run}
   * @return bytes for {@link DenoiseDriver#finish}
   * @throws InputException when the input has changed since it was first read
   */
  public byte[] samples(int first, int count, short[] before, short[] after, byte[] sliceRecords) {
    requireNonNegative(first, "first");
    requirePositive(count, "count");
    Objects.requireNonNull(before, "before");
    Objects.requireNonNull(after, "after");
    Objects.requireNonNull(sliceRecords, "sliceRecords");
    return read(handle -> samples0(handle, first, count, before, after, sliceRecords));
  }

  /**
   * Looks for a place for a small detail.
   *
   * @param probe its place in {@link DenoiseDriver#probes}
   * @param slice stored values of that slice
   * @return the place, for {@link DenoiseDriver#addPlaces}; null where there is none
   */
  public byte[] place(int probe, short[] slice) {
    requireNonNegative(probe, "probe");
    Objects.requireNonNull(slice, "slice");
    return read(handle -> place0(handle, probe, slice));
  }

  /**
   * What denoising leaves of a small detail.
   *
   * @param place its place in {@link DenoiseDriver#surroundings}
   * @param surroundings stored values of these slices and rows, of all columns
   * @return the part of its contrast, for {@link DenoiseDriver#addKept}
   */
  public double kept(int place, short[] surroundings) {
    requireNonNegative(place, "place");
    Objects.requireNonNull(surroundings, "surroundings");
    return read(handle -> kept0(handle, place, surroundings));
  }

  /**
   * Makes the instance of a slice.
   *
   * @param slice its place in the series
   * @param name of its file, for the log that may show names
   * @param source the file's content, whose attributes go over
   * @param pixels its denoised stored values
   * @return the instance
   * @throws InputException when the file has changed since it was first read
   */
  public DerivedFile derive(int slice, String name, byte[] source, short[] pixels) {
    requireNonNegative(slice, "slice");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(source, "source");
    Objects.requireNonNull(pixels, "pixels");
    return read(handle -> derive0(handle, slice, name, source, pixels))[0];
  }

  private static native long create(byte[] step);

  private static native void free(long handle);

  private static native DenoisedBand run0(
      long handle, int first, int count, short[] before, short[] after, byte[] sliceRecords);

  private static native byte[] samples0(
      long handle, int first, int count, short[] before, short[] after, byte[] sliceRecords);

  private static native byte[] place0(long handle, int probe, short[] slice);

  private static native double kept0(long handle, int place, short[] surroundings);

  private static native DerivedFile[] derive0(long handle, int slice, String name, byte[] source, short[] pixels);
}
