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
   * @param kind of the folder that it should be of
   * @return what it says; empty where it is not of that kind: other programs have a {@code manifest.json} too
   */
  public static Optional<FoundResult> found(byte[] manifest, ResultKind kind) {
    return Optional.ofNullable(found0(Objects.requireNonNull(manifest, "manifest"), kind.name()));
  }

  private static native FoundResult found0(byte[] manifest, String kind);

  static native int others0(byte[] manifest, String[] paths);
}
