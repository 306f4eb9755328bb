package io.tomobasis.jni;

import java.util.Objects;

/**
 * What decoding a slice gave, without its pixels.
 *
 * @param digest SHA-256 of the entries of its column as little-endian floats, padding as NaN; of one that cannot be decoded, any
 * @param error why it cannot be decoded; empty when it can
 */
public record SliceDigest(byte[] digest, String error) {
  /** Checks that neither part is missing. */
  public SliceDigest {
    Objects.requireNonNull(digest, "digest");
    Objects.requireNonNull(error, "error");
  }
}
