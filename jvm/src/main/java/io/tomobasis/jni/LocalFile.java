package io.tomobasis.jni;

import java.util.Objects;

/**
 * Something under an input of the local file system.
 *
 * @param path where it, or the archive that it is in, is: in ASCII, for {@link LocalFiles#read}
 * @param name its path relative to the input
 * @param length its length; -1 where it has none
 * @param entry where it is in an archive; null for other files
 * @param unread what {@link Inventory#addUnread} takes of what is not read; else null
 */
public record LocalFile(String path, String name, long length, ArchiveEntry entry, String unread) {
  /** Checks that path and name are there. */
  public LocalFile {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(name, "name");
  }
}
