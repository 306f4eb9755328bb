package io.tomobasis.jni;

import java.util.Objects;

/**
 * The bytes of a file that are at hand: all of them, or its head and one piece further on, as a series' plan says for the slices
 * of large files.
 *
 * @param length of the file
 * @param head its first bytes
 * @param start offset of {@code piece} in the file
 * @param piece some later bytes
 */
public record FileBytes(long length, byte[] head, long start, byte[] piece) {
  /** Checks that the parts lie in the file. */
  public FileBytes {
    Objects.requireNonNull(head, "head");
    Objects.requireNonNull(piece, "piece");
    if (start < 0 || head.length > length || start + piece.length > length) {
      throw new IllegalArgumentException("parts of a file beyond its length: " + length);
    }
  }

  /** All bytes of a file. */
  public static FileBytes whole(byte[] file) {
    return new FileBytes(Objects.requireNonNull(file, "file").length, file, file.length, new byte[0]);
  }
}
