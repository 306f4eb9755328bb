package io.tomobasis.io

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.FSDataInputStream

import java.io.EOFException
import java.nio.ByteBuffer
import java.nio.ByteOrder.LITTLE_ENDIAN

import scala.jdk.OptionConverters._
import scala.util.Using

import io.tomobasis.jni.{Archive, ArchiveEntry, InputException, Packing}

/**
 * Files in archives. What is in an archive is found out once, on the driver, by native code; from then on a file in a tar or a zip is
 * a range of the archive that any task reads for itself.
 */
object ArchiveFiles {

  /** The files in an archive, in listing order; none when the file is no archive. */
  def list(archive: InputFile, conf: Configuration): Option[Seq[InputFile]] = {
    def opened[T](policy: String)(work: FSDataInputStream => T) =
      Using.resource(HadoopFiles.open(archive.uri, archive.length, policy, conf))(work)
    val gzipped = archive.length >= 2 && opened("sequential")(range(_, 0, 2)).sameElements(GzipMagic)
    val listed = opened(if (gzipped) "sequential" else "random") { in =>
      Archive.entries(
        archive.length,
        (position, buffer, count) => {
          in.seek(position)
          in.read(buffer, 0, count)
        }
      )
    }
    def file(entry: ArchiveEntry) = {
      val name = Some(entry.name).filter(_.nonEmpty).getOrElse(archive.name)
      val packed = Some(Packed.of(entry, archive.length))
      InputFile(archive.uri, name, entry.length, packed, unread = Option(entry.unread))
    }
    listed.toScala.map(_.toIndexedSeq.map(file))
  }

  /**
   * `count` bytes of a file in a tar or a zip, from `start` on; a file that is read whole is compared with its checksum. Throws
   * DamagedFile.
   */
  def read(file: InputFile, packed: Packed, start: Long, count: Int, conf: Configuration): Array[Byte] =
    Using.resource(HadoopFiles.open(file.uri, packed.archiveLength, "random", conf)) { in =>
      val crc = if (start == 0 && count == file.length) packed.crc else -1L
      try
        packed.packing match {
          case Packing.TAR => expanded(packed, start, count)(range(in, _, _))
          case Packing.ZIP_STORED if start + count <= packed.size =>
            Archive.checked(range(in, data(in, packed) + start, count), crc)
          case Packing.ZIP_DEFLATED => inflated(in, data(in, packed), packed.size, start, count, crc)
          case _ => throw new EOFException
        }
      catch { case e @ (_: EOFException | _: InputException) => throw new DamagedFile(e) }
    }

  /** Where a file's bytes start in a zip: behind its local header (APPNOTE.TXT 4.3.7), whose length only the header itself says. */
  private def data(in: FSDataInputStream, packed: Packed): Long = {
    val header = ByteBuffer.wrap(range(in, packed.start, LocalHeaderBytes)).order(LITTLE_ENDIAN)
    if (header.getInt(0) != LocalHeaderSignature) throw new InputException(Archive.damage(false))
    packed.start + LocalHeaderBytes + (header.getShort(26) & 0xffff) + (header.getShort(28) & 0xffff)
  }

  /** A part of a sparse file of a tar, of which `stored` gives what is kept. */
  def expanded(packed: Packed, start: Long, count: Int)(stored: (Long, Int) => Array[Byte]): Array[Byte] =
    if (packed.pieces.isEmpty) stored(packed.start + start, count)
    else {
      val bytes = new Array[Byte](count)
      val places = packed.pieces.scanLeft(packed.start)(_ + _._2)
      for (((offset, length), place) <- packed.pieces.zip(places)) {
        val (from, to) = (math.max(offset, start), math.min(offset + length, start + count))
        if (from < to) {
          val piece = stored(place + from - offset, (to - from).toInt)
          System.arraycopy(piece, 0, bytes, (from - start).toInt, piece.length)
        }
      }
      bytes
    }

  /** A part of a deflated file; for a head, as a rule, no more is read than about as much of the archive. */
  private def inflated(
      in: FSDataInputStream,
      data: Long,
      size: Long,
      start: Long,
      count: Int,
      crc: Long
  ): Array[Byte] = {
    def of(stored: Long) = Archive.inflate(range(in, data, HadoopFiles.arrayLength(stored)), start, count, crc)
    val some = math.min(size, start + count + 1024L)
    val bytes = of(some)
    val all = if (bytes.length < count && some < size) of(size) else bytes
    if (all.length < count) throw new EOFException
    all
  }

  private def range(in: FSDataInputStream, start: Long, count: Int): Array[Byte] = {
    val bytes = new Array[Byte](count)
    in.seek(start)
    in.readFully(bytes)
    bytes
  }

  private val GzipMagic = Array[Byte](0x1f, 0x8b.toByte)
  private val LocalHeaderBytes = 30
  private val LocalHeaderSignature = 0x04034b50
}
