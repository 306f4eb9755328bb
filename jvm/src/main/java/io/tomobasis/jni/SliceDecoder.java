package io.tomobasis.jni;

import java.util.Objects;

/** Decodes slices of one series from the bytes of their files. Immutable: any number of threads may share one. */
public final class SliceDecoder extends NativeObject {
  /** Bytes of the record of a slice: what decoding found, for native code. */
  public static final int RECORD_BYTES = 96;

  static {
    NativeLibrary.load();
  }

  /**
   * A decoder for the slices of a plan.
   *
   * @param planJson of the {@link SeriesPlan}
   */
  public SliceDecoder(String planJson) {
    super(create(Objects.requireNonNull(planJson, "planJson")), SliceDecoder::free);
  }

  /**
   * Decodes one slice: stored integers in row-major pixel order, less the plan's offset of that slice, with padding as the
   * plan says.
   *
   * @param slice position of the slice in the plan, from 0
   * @param name as given to {@link Inventory#add}
   * @param file all bytes of the slice's file
   * @param out receives one value per pixel
   * @param offset index in {@code out} of the first value
   * @return the slice's record, of {@link #RECORD_BYTES}
   * @throws InputException when the file is truncated or does not hold what its header said
   */
  public byte[] decode(int slice, String name, byte[] file, short[] out, int offset) {
    return decode(new int[] {slice}, name, FileBytes.whole(file), out, new int[] {offset});
  }

  /**
   * Decodes slices of one file, whose header is read only once.
   *
   * @param slices positions of the slices in the plan
   * @param name as given to {@link Inventory#add}
   * @param file the file, as far as these slices need it
   * @param out receives one value per pixel
   * @param offsets for each slice, the index in {@code out} of its first value
   * @return the records of the slices, {@link #RECORD_BYTES} each
   * @throws InputException for the first slice that the file does not hold as its header said
   */
  public byte[] decode(int[] slices, String name, FileBytes file, short[] out, int[] offsets) {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(out, "out");
    if (slices.length != offsets.length) {
      throw new IllegalArgumentException(slices.length + " slices and " + offsets.length + " offsets");
    }
    for (int i = 0; i < slices.length; i++) {
      requireNonNegative(slices[i], "slice");
      Objects.checkIndex(offsets[i], out.length);
    }
    return read(
        handle ->
            decode0(
                handle, slices, name, file.length(), file.head(), file.start(), file.piece(), out, offsets));
  }

  /**
   * Decodes slices of one file and keeps no pixels. What is wrong with a slice does not keep others from being decoded.
   *
   * @param slices positions of the slices in the plan
   * @param name as given to {@link Inventory#add}
   * @param file the file, as far as these slices need it
   * @return what decoding each of them gave
   */
  public SliceDigest[] digests(int[] slices, String name, FileBytes file) {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(file, "file");
    for (int slice : slices) {
      requireNonNegative(slice, "slice");
    }
    return read(
        handle ->
            digests0(handle, slices, name, file.length(), file.head(), file.start(), file.piece()));
  }

  private static native long create(String planJson);

  private static native void free(long handle);

  private static native byte[] decode0(
      long handle,
      int[] slices,
      String name,
      long length,
      byte[] head,
      long start,
      byte[] piece,
      short[] out,
      int[] offsets);

  private static native SliceDigest[] digests0(
      long handle, int[] slices, String name, long length, byte[] head, long start, byte[] piece);
}
