package io.tomobasis.matrix

import io.tomobasis.jni.SliceDigest

/**
 * What decoding a slice gave, without its pixels, on its way from a task to the driver.
 *
 * @param slice  its place in the series
 * @param digest of its entries, 32 bytes; of one that cannot be decoded, zeros
 * @param error  why it cannot be decoded; empty when it can
 */
final case class DecodedSlice(slice: Int, digest: Array[Byte], error: String) {

  /** For native code, which has it from here. */
  def toNative: SliceDigest = new SliceDigest(digest, error)
}
