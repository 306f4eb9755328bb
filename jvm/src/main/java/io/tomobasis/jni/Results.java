package io.tomobasis.jni;

import java.util.Objects;
import java.util.Optional;

/** What is in result folders. Any thread may call it. */
public final class Results {
  static {
    NativeLibrary.load();
  }

  private Results() {}

  /**
   * The names of the format.
   *
   * @return always the same
   */
  public static native ResultNames names();

  /**
   * Reads a manifest.
   *
   * @param manifest what is in a file of that name
   * @return what it says; empty where it is not ours: other programs have a {@code manifest.json} too
   */
  public static Optional<FoundResult> found(byte[] manifest) {
    return Optional.ofNullable(found0(Objects.requireNonNull(manifest, "manifest")));
  }

  private static native FoundResult found0(byte[] manifest);

  static native int others0(byte[] manifest, String[] paths);
}
