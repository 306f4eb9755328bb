package io.tomobasis.job

import scala.util.{Failure => Failed, Success, Try}

import io.tomobasis.jni.{FileBytes, InputException, SliceDecoder}

/**
 * What decoding a slice gave, without its pixels.
 *
 * @param slice  its place in the series
 * @param error  why it cannot be decoded; empty when it can
 * @param digest of its pixels, `SliceDecoder.DIGEST_BYTES`; of one that cannot be decoded, zeros
 */
final case class SliceDigest(slice: Int, error: String, digest: Array[Byte])

object SliceDigest {

  /** Of slices of one file; `room` is that of one slice's pixels. */
  def of(
      decoder: SliceDecoder,
      slices: Seq[Int],
      name: String,
      file: FileBytes,
      room: Array[Short]
  ): Seq[SliceDigest] =
    Try(decoder.decode(slices.toArray, name, file, room, Array.fill(slices.length)(0))) match {
      case Success(records) =>
        val digests = records.grouped(SliceDecoder.RECORD_BYTES).map(_.take(SliceDecoder.DIGEST_BYTES))
        slices.zip(digests).map { case (slice, digest) => SliceDigest(slice, "", digest) }
      case Failed(e: InputException) if slices.length == 1 =>
        Seq(SliceDigest(slices.head, e.getMessage, new Array[Byte](SliceDecoder.DIGEST_BYTES)))
      case Failed(_: InputException) => slices.flatMap(slice => of(decoder, Seq(slice), name, file, room))
      case Failed(other) => throw other
    }
}
