package io.tomobasis.io

import io.tomobasis.jni.{ArchiveEntry, Inventory, LocalFiles, Packing}

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
  def streamed: Boolean = packed.exists(_.packing == Packing.GZIP)

  /** How messages name it: its place in the listing and a hash; its path too when paths may be shown. */
  def label(index: Int, count: Int, verbose: Boolean): String = {
    val label = Inventory.fileLabel(index, count, name)
    if (verbose) s"$label [$shown]" else label
  }

  /** Where it is, as a log may show it. */
  def shown: String = LocalFiles.printable(uri)

  /** Whether a part of it can be read without what is before. */
  def cutable: Boolean = packed.forall(p => p.packing == Packing.TAR || p.packing == Packing.ZIP_STORED)
}

/**
 * Where an entry of an archive is, as native code found it: see `ArchiveEntry`.
 *
 * @param crc           CRC-32 of the content in a zip, else -1
 * @param pieces        of a sparse file, offset and length of what is kept of it; the rest is zeros
 * @param archiveLength length of the archive itself
 */
final case class Packed(
    packing: Packing,
    start: Long,
    size: Long,
    crc: Long,
    pieces: Vector[(Long, Long)],
    archiveLength: Long
)

object Packed {
  def of(entry: ArchiveEntry, archiveLength: Long): Packed = {
    val pieces = entry.pieces.toVector.map(extent => extent.offset -> extent.length)
    Packed(entry.packing, entry.start, entry.size, entry.crc, pieces, archiveLength)
  }
}
