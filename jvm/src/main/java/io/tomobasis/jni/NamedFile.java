package io.tomobasis.jni;

import java.util.Objects;

/**
 * A file of the result folder, whole.
 *
 * @param path relative to the result folder, with {@code /} between its parts
 * @param bytes content; not copied
 */
public record NamedFile(String path, byte[] bytes) {
  /**
   * Checks that neither part is missing.
   *
   * @param path relative to the result folder, with {@code /} between its parts
   * @param bytes content; not copied
   */
  public NamedFile {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(bytes, "bytes");
  }
}
