package io.tomobasis.jni;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/**
 * A small CT series of noise over a gradient, as DICOM files in Explicit VR Little Endian: 12 unsigned bits, slope 1, intercept
 * -1024, one millimeter between slices. The same arguments give the same bytes.
 */
public final class SyntheticCt {
  private final int slices;
  private final int rows;
  private final int columns;
  private final String series;

  public SyntheticCt(int slices, int rows, int columns, int seed) {
    this.slices = slices;
    this.rows = rows;
    this.columns = columns;
    this.series = "2.25.4711" + seed;
  }

  public int slices() {
    return slices;
  }

  public int pixels() {
    return rows * columns;
  }

  /** Stored values of slice {@code j}, row-major. */
  public short[] stored(int j) {
    SplittableRandom random = new SplittableRandom(series.hashCode() * 1000L + j);
    short[] values = new short[pixels()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (short) (1000 + 7 * (i % columns) + 5 * j + random.nextInt(300));
    }
    return values;
  }

  /** The file of slice {@code j}. */
  public byte[] file(int j) {
    return file(j, "1.2.840.10008.1.2.1");
  }

  /** The same, said to be in another transfer syntax. */
  public byte[] file(int j, String transferSyntax) {
    String instance = series + "." + (j + 1);
    Writer meta = new Writer();
    meta.text(0x0002, 0x0002, "UI", "1.2.840.10008.5.1.4.1.1.2");
    meta.text(0x0002, 0x0003, "UI", instance);
    meta.text(0x0002, 0x0010, "UI", transferSyntax);

    Writer file = new Writer();
    file.raw(new byte[128]);
    file.raw("DICM".getBytes(StandardCharsets.US_ASCII));
    file.element(0x0002, 0x0000, "UL", little(4).putInt(meta.size()).array());
    file.raw(meta.bytes());
    file.text(0x0008, 0x0008, "CS", "ORIGINAL\\PRIMARY\\AXIAL");
    file.text(0x0008, 0x0016, "UI", "1.2.840.10008.5.1.4.1.1.2");
    file.text(0x0008, 0x0018, "UI", instance);
    file.text(0x0008, 0x0060, "CS", "CT");
    file.text(0x0010, 0x0010, "PN", "NOBODY^TEST");
    file.text(0x0020, 0x000D, "UI", series + ".0");
    file.text(0x0020, 0x000E, "UI", series);
    file.text(0x0020, 0x0013, "IS", Integer.toString(j + 1));
    file.text(0x0020, 0x0032, "DS", "0\\0\\" + j);
    file.text(0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0");
    file.text(0x0020, 0x0052, "UI", series + ".9");
    file.number(0x0028, 0x0002, 1);
    file.text(0x0028, 0x0004, "CS", "MONOCHROME2");
    file.number(0x0028, 0x0010, rows);
    file.number(0x0028, 0x0011, columns);
    file.text(0x0028, 0x0030, "DS", "0.5\\0.5");
    file.number(0x0028, 0x0100, 16);
    file.number(0x0028, 0x0101, 12);
    file.number(0x0028, 0x0102, 11);
    file.number(0x0028, 0x0103, 0);
    file.text(0x0028, 0x1052, "DS", "-1024");
    file.text(0x0028, 0x1053, "DS", "1");
    ByteBuffer pixels = little(2 * pixels());
    pixels.asShortBuffer().put(stored(j));
    file.element(0x7FE0, 0x0010, "OW", pixels.array());
    return file.bytes();
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Data elements as PS3.5, section 7.1.2, lays them out. */
  private static final class Writer {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    void raw(byte[] bytes) {
      out.writeBytes(bytes);
    }

    void number(int group, int element, int value) {
      element(group, element, "US", little(2).putShort((short) value).array());
    }

    void text(int group, int element, String vr, String value) {
      String even = value.length() % 2 == 0 ? value : value + (vr.equals("UI") ? '\0' : ' ');
      element(group, element, vr, even.getBytes(StandardCharsets.US_ASCII));
    }

    void element(int group, int element, String vr, byte[] value) {
      raw(little(4).putShort((short) group).putShort((short) element).array());
      raw(vr.getBytes(StandardCharsets.US_ASCII));
      if (vr.equals("OW")) {
        raw(little(6).putShort((short) 0).putInt(value.length).array());
      } else {
        raw(little(2).putShort((short) value.length).array());
      }
      raw(value);
    }

    int size() {
      return out.size();
    }

    byte[] bytes() {
      return out.toByteArray();
    }
  }
}
