package io.tomobasis.jni;

import java.util.Objects;

/**
 * A derived DICOM instance, whole.
 *
 * @param path relative to the result folder, with {@code /} between its parts
 * @param bytes content; not copied
 * @param records what {@link Decomposition#finish} needs to know of its slices; not copied
 */
public record DerivedFile(String path, byte[] bytes, byte[] records) {
  /**
   * Checks that no part is missing.
   *
   * @param path relative to the result folder, with {@code /} between its parts
   * @param bytes content; not copied
   * @param records what {@link Decomposition#finish} needs to know of its slices; not copied
   */
  public DerivedFile {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(bytes, "bytes");
    Objects.requireNonNull(records, "records");
  }
}
