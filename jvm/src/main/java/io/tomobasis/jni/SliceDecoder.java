package io.tomobasis.jni;

import java.util.Objects;

/** Decodes slices of one series from the bytes of their files. Immutable: any number of threads may share one. */
public final class SliceDecoder extends NativeObject {
  /** Bytes of what decoding says of a slice: its digest (32 bytes), then what else was found. */
  public static final int RECORD_BYTES = 96;

  /** Bytes of the digest at the beginning of a record. */
  public static final int DIGEST_BYTES = 32;

  static {
    NativeLibrary.load();
  }

  /**
   * A decoder for the slices of a plan.
   *
   * @param planJson what {@link Inventory#select} returned
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
   * @return the slice's record, of {@link #RECORD_BYTES}: first its digest, SHA-256 of the stored pixels as little-endian
   *     int32 (32 bytes)
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
}
