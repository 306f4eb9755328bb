package io.tomobasis.job

import com.fasterxml.jackson.databind.JsonNode

import scala.jdk.CollectionConverters._

import io.tomobasis.jni.{Inventory, LocalFiles}

/**
 * Something under `--input`.
 *
 * @param uri    where Hadoop finds it, or the archive that it is in; of a local file, with its bytes in hexadecimal where needed
 * @param name   its path relative to the `--input` that it was found under; goes to native code, which shows a hash of it
 * @param length in bytes; -1 for what has none
 * @param packed where it is in an archive
 * @param local  its path for `LocalFiles`, for a plain file of the local file system
 * @param unread why it cannot be read, as native code says it
 */
final case class InputFile(
    uri: String,
    name: String,
    length: Long,
    packed: Option[Packed] = None,
    local: Option[String] = None,
    unread: Option[String] = None
) {

  /** Whether it can only be read by reading all that is before it: in a gzip stream. */
  def streamed: Boolean = packed.exists(_.packing == Packed.Gzip)

  /** How messages name it: its place in the listing and a hash; its path too when paths may be shown. */
  def label(index: Int, count: Int, verbose: Boolean): String = {
    val label = Inventory.fileLabel(index, count, name)
    if (verbose) s"$label [$shown]" else label
  }

  /** Where it is, as a log may show it. */
  def shown: String = LocalFiles.printable(uri)

  /** Whether a part of it can be read without what is before. */
  def cutable: Boolean = packed.forall(p => p.packing == Packed.Tar || p.packing == Packed.ZipStored)
}

/**
 * Where an entry of an archive is, as native code found it: see `Archive.entries`.
 *
 * @param crc           CRC-32 of the content in a zip, else -1
 * @param pieces        of a sparse file, offset and length of what is kept of it; the rest is zeros
 * @param archiveLength length of the archive itself
 */
final case class Packed(
    packing: String,
    start: Long,
    size: Long,
    crc: Long,
    pieces: Vector[(Long, Long)],
    archiveLength: Long
)

object Packed {
  def parse(entry: JsonNode, archiveLength: Long): Packed = {
    def number(field: String) = entry.get(field).asLong(-1)
    val pieces = entry.get("pieces").elements.asScala.map(pair => (pair.get(0).asLong, pair.get(1).asLong))
    Packed(
      entry.get("packing").asText,
      number("start"),
      number("size"),
      number("crc"),
      pieces.toVector,
      archiveLength
    )
  }

  val Tar = "tar"
  val ZipStored = "zip-stored"
  val ZipDeflated = "zip-deflated"
  val Gzip = "gzip"
}
