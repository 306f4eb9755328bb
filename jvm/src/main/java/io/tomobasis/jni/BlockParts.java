package io.tomobasis.jni;

import java.util.Objects;

/**
 * What one row block adds to the result.
 *
 * @param files its files of basis vectors; none when none was asked for
 * @param record its entry in the manifest, for {@link Decomposition#finish}
 * @param pictures its band of the pictures, for {@link BlockRenderer#pictures}
 * @param composites its bands of the composites, one for each run of slices, for {@link DerivedSlices#add}; none without derived
 *     DICOM
 */
public record BlockParts(NamedFile[] files, byte[] record, byte[] pictures, byte[][] composites) {
  /**
   * Checks that no part is missing.
   *
   * @param files its files of basis vectors; none when none was asked for
   * @param record its entry in the manifest
   * @param pictures its band of the pictures
   * @param composites its bands of the composites
   */
  public BlockParts {
    Objects.requireNonNull(files, "files");
    Objects.requireNonNull(record, "record");
    Objects.requireNonNull(pictures, "pictures");
    Objects.requireNonNull(composites, "composites");
  }
}
