package io.tomobasis.jni;

import java.io.IOException;
import java.util.Objects;
import java.util.Optional;

/** What is in a zip, tar or gzip stream, by the rules of the {@code tomobasis} command. */
public final class Archive {
  static {
    NativeLibrary.load();
  }

  /** The bytes of a file, by their place. */
  @FunctionalInterface
  public interface Source {
    /**
     * Reads at least one byte before the end of the file.
     *
     * @param position of the first byte wanted
     * @param buffer receives the bytes, from its start on
     * @param count of bytes wanted at most
     * @return how many were read; none or less at the end
     * @throws IOException of the file system
     */
    int read(long position, byte[] buffer, int count) throws IOException;
  }

  private Archive() {}

  /**
   * What an archive holds, folders aside, in the order of the input's files.
   *
   * @param length of the archive
   * @param source its bytes; called by this thread only
   * @return the files; empty when this is no archive
   * @throws InputException when the archive is damaged, truncated or of a format that is not read
   * @throws IOException of {@code source}
   */
  public static Optional<ArchiveEntry[]> entries(long length, Source source) throws IOException {
    if (length < 0) {
      throw new IllegalArgumentException("length must not be negative: " + length);
    }
    return Optional.ofNullable(entries0(length, Objects.requireNonNull(source, "source")));
  }

  /**
   * A part of what a deflated file expands to.
   *
   * @param deflated what the archive holds of it, or the first part of that
   * @param start of the part
   * @param count of bytes wanted
   * @param crc the CRC-32 of the inflated bytes; negative when it is not known
   * @return {@code count} bytes, or fewer where {@code deflated} ends before
   * @throws InputException when it is damaged
   */
  public static byte[] inflate(byte[] deflated, long start, int count, long crc) {
    Objects.requireNonNull(deflated, "deflated");
    if (start < 0) {
      throw new IllegalArgumentException("start must not be negative: " + start);
    }
    return inflate0(deflated, start, NativeObject.requireNonNegative(count, "count"), crc);
  }

  /**
   * Compares a file that was not deflated with its checksum.
   *
   * @param file all bytes of it
   * @param crc its CRC-32; negative when it is not known
   * @return {@code file}
   * @throws InputException when it is damaged
   */
  public static byte[] checked(byte[] file, long crc) {
    check0(Objects.requireNonNull(file, "file"), crc);
    return file;
  }

  /**
   * The message about an archive that turns out to be unusable.
   *
   * @param truncated whether it ends early; else it holds something else than it should
   * @return one line
   */
  public static native String damage(boolean truncated);

  /**
   * What is told of one file of an archive that is damaged.
   *
   * @return one line, without the file's name
   */
  public static native String damagedFile();

  /**
   * The same for {@link Inventory#addUnread}.
   *
   * @return why it is not read
   */
  public static native String damagedKind();

  private static native ArchiveEntry[] entries0(long length, Source source) throws IOException;

  private static native byte[] inflate0(byte[] deflated, long start, int count, long crc);

  private static native void check0(byte[] file, long crc);
}
