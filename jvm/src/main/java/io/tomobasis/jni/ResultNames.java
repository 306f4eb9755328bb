package io.tomobasis.jni;

import java.util.Objects;

/**
 * Names in a result folder.
 *
 * @param manifest of the manifest
 * @param success of the empty file that is written last
 * @param unfinished of the mark that a result has until it is complete
 * @param contents of what it may hold besides
 */
public record ResultNames(String manifest, String success, String unfinished, String[] contents) {
  /** Checks that no name is missing. */
  public ResultNames {
    Objects.requireNonNull(manifest, "manifest");
    Objects.requireNonNull(success, "success");
    Objects.requireNonNull(unfinished, "unfinished");
    Objects.requireNonNull(contents, "contents");
  }
}
