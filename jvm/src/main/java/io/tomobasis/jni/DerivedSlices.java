package io.tomobasis.jni;

import java.util.Objects;

/**
 * A run of slices in all composites: bands of all row blocks go in, derived DICOM files come out.
 *
 * <p>Any thread may call it; adding waits for the other calls, files may be written on many threads.
 */
public final class DerivedSlices extends NativeObject {
  static {
    NativeLibrary.load();
  }

  /**
   * A run without bands.
   *
   * @param renderer that the bands come from
   * @param first place of the run
   * @param count of slices in it
   */
  public DerivedSlices(BlockRenderer renderer, int first, int count) {
    super(
        renderer.read(
            handle -> create(handle, requireNonNegative(first, "first"), requirePositive(count, "count"))),
        DerivedSlices::free);
  }

  /**
   * Takes the band of one row block, in any order; one that comes twice is taken once.
   *
   * @param band of this run, from {@link BlockRenderer#render}
   */
  public void add(byte[] band) {
    Objects.requireNonNull(band, "band");
    write(
        handle -> {
          add0(handle, band);
          return null;
        });
  }

  /**
   * Writes the instances derived from one file, once the bands of all row blocks are there.
   *
   * @param slice of the series, in this run: any one of the file's
   * @param name of the file, for the log that may show names
   * @param source its content, whose attributes go over
   * @return one file for each composite
   */
  public DerivedFile[] write(int slice, String name, byte[] source) {
    requireNonNegative(slice, "slice");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(source, "source");
    return read(handle -> write0(handle, slice, name, source));
  }

  private static native long create(long rendererHandle, int first, int count);

  private static native void free(long handle);

  private static native void add0(long handle, byte[] band);

  private static native DerivedFile[] write0(long handle, int slice, String name, byte[] source);
}
