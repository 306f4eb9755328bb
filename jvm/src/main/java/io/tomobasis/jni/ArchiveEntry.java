package io.tomobasis.jni;

import java.util.Objects;

/**
 * A file in an archive, and where it is.
 *
 * @param name its path; empty for a gzip stream of one file
 * @param length its length; -1 where it has none
 * @param packing how it is kept
 * @param start where its bytes start, in a zip its local header; in a gzip stream, as that expands
 * @param size how many bytes it takes there, a zip's local header aside
 * @param crc CRC-32 of its content in a zip, else -1
 * @param pieces of a sparse file, what is kept of it, one behind the other; the rest is zeros. Empty for other files
 * @param unread what {@link Inventory#addUnread} takes of a file that is not read; else null
 */
public record ArchiveEntry(
    String name, long length, Packing packing, long start, long size, long crc, Extent[] pieces, String unread) {
  /**
   * Some consecutive bytes of a file.
   *
   * @param offset of the first
   * @param length how many
   */
  public record Extent(long offset, long length) {}

  /** Checks that no part is missing but the last. */
  public ArchiveEntry {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(packing, "packing");
    Decomposition.requireElements(pieces, "pieces");
  }
}
