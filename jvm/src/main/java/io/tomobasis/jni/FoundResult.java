package io.tomobasis.jni;

import java.util.Objects;

/**
 * A result that is in a folder, as its manifest says, of whatever version.
 *
 * @param runId the attempt that made it; empty where the manifest does not say
 * @param runFolder the folder of its files; empty where they are beside the manifest
 * @param folders the folders whose names {@link #others} takes, from the result's folder on: first that folder itself, which is empty
 * @param manifest the manifest; not copied
 */
public record FoundResult(String runId, String runFolder, String[] folders, byte[] manifest) {
  /** Checks that no part is missing. */
  public FoundResult {
    Objects.requireNonNull(runId, "runId");
    Objects.requireNonNull(runFolder, "runFolder");
    Objects.requireNonNull(folders, "folders");
    Objects.requireNonNull(manifest, "manifest");
  }

  /**
   * How many files and folders are not of the result: where its manifest lists files, by that list, else by their names.
   *
   * @param paths of what is in {@link #folders}, from the result's folder on; those of folders end in {@code /}
   * @return their number
   */
  public int others(String[] paths) {
    Decomposition.requireElements(paths, "paths");
    return Results.others0(manifest, paths);
  }
}
