package io.tomobasis.jni;

import java.util.Objects;

/**
 * The files of a result that are about the whole series.
 *
 * @param root the root digest, in hexadecimal
 * @param files manifest, small tables, report, pictures
 */
public record ResultFiles(String root, NamedFile[] files) {
  /**
   * Checks that neither part is missing.
   *
   * @param root the root digest, in hexadecimal
   * @param files manifest, small tables, report, pictures
   */
  public ResultFiles {
    Objects.requireNonNull(root, "root");
    Objects.requireNonNull(files, "files");
  }
}
