package io.tomobasis.job

import com.fasterxml.jackson.databind.JsonNode
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.FSDataInputStream

import java.io.{BufferedInputStream, EOFException}
import java.nio.ByteBuffer
import java.nio.ByteOrder.LITTLE_ENDIAN

import scala.jdk.CollectionConverters._
import scala.util.Using

import io.tomobasis.kernels.{Archive, InputException}

/**
 * Where an entry of an archive is, as native code found it: see `Archive.entries`.
 *
 * @param crc           CRC-32 of the content in a zip, else -1
 * @param archiveLength length of the archive itself
 */
final case class Packed(packing: String, start: Long, size: Long, crc: Long, archiveLength: Long)

object Packed {
  val Tar = "tar"
  val ZipStored = "zip-stored"
  val ZipDeflated = "zip-deflated"
  val TarGz = "tar-gz"
}

/**
 * Files in archives. What is in an archive is found out once, on the driver, by native code; from then on a file in a tar or a zip is
 * a range of the archive that any task reads for itself.
 */
object ArchiveFiles {

  /** The files in an archive, in listing order; none when the file is no archive. */
  def list(archive: InputFile, conf: Configuration): Option[Seq[InputFile]] = {
    val gzipped = archive.length >= 2 && HadoopFiles.read(archive, 2, conf).sameElements(GzipMagic)
    val policy = if (gzipped) "sequential" else "random"
    val listed = Using.resource(HadoopFiles.open(archive.uri, archive.length, policy, conf)) { in =>
      Archive.entries(
        archive.length,
        (position, buffer, count) => {
          in.seek(position)
          in.read(buffer, 0, count)
        }
      )
    }
    def file(entry: JsonNode) = {
      def number(field: String) = entry.get(field).asLong(-1)
      val packed =
        Packed(entry.get("packing").asText, number("start"), number("size"), number("crc"), archive.length)
      InputFile(archive.uri, entry.get("name").asText, number("length"), Some(packed))
    }
    if (listed.isEmpty) None else Some(Json.read(listed.get).elements.asScala.map(file).toIndexedSeq)
  }

  /** `count` bytes of a file in a tar or a zip, from `start` on; a file that is read whole is compared with its checksum. */
  def read(file: InputFile, packed: Packed, start: Long, count: Int, conf: Configuration): Array[Byte] =
    Using.resource(HadoopFiles.open(file.uri, packed.archiveLength, "random", conf)) { in =>
      val crc = if (start == 0 && count == file.length) packed.crc else -1L
      try
        packed.packing match {
          case Packed.Tar => range(in, packed.start + start, count)
          case Packed.ZipStored if start + count <= packed.size =>
            Archive.checked(range(in, data(in, packed) + start, count), crc)
          case Packed.ZipDeflated if start == 0 => inflated(in, data(in, packed), packed.size, count, crc)
          case _ => throw new EOFException
        }
      catch { case _: EOFException => throw new InputException(Archive.damage(true)) }
    }

  /** Where a file's bytes start in a zip: behind its local header (APPNOTE.TXT 4.3.7), whose length only the header itself says. */
  private def data(in: FSDataInputStream, packed: Packed): Long = {
    val header = ByteBuffer.wrap(range(in, packed.start, LocalHeaderBytes)).order(LITTLE_ENDIAN)
    if (header.getInt(0) != LocalHeaderSignature) throw new InputException(Archive.damage(false))
    packed.start + LocalHeaderBytes + (header.getShort(26) & 0xffff) + (header.getShort(28) & 0xffff)
  }

  /** The first `count` bytes of a deflated file; for a head, as a rule, no more is read than about as much of the archive. */
  private def inflated(in: FSDataInputStream, start: Long, size: Long, count: Int, crc: Long): Array[Byte] = {
    val some = math.min(size, count + 1024L)
    val bytes = Archive.inflate(range(in, start, some.toInt), count, crc)
    if (bytes.length == count) bytes
    else {
      val all = if (some < size) Archive.inflate(range(in, start, size.toInt), count, crc) else bytes
      if (all.length < count) throw new EOFException
      all
    }
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

/** A tar.gz, which can only be read from its start on: the files in it, in its order. */
final class TarGz(file: InputFile, conf: Configuration) extends AutoCloseable {
  private val in = {
    val length = file.packed.fold(file.length)(_.archiveLength)
    val stored = new BufferedInputStream(HadoopFiles.open(file.uri, length, "sequential", conf), TarGz.BufferBytes)
    GzipCompressorInputStream.builder().setInputStream(stored).setDecompressConcatenated(true).get()
  }
  private var position = 0L
  private var current = 0L
  private var bytes = Array.emptyByteArray

  /** The first `count` bytes of a file that is not before the last one; of the same file, more than before. */
  def head(file: InputFile, count: Int): Array[Byte] = {
    val start = file.packed.get.start
    if (start != current) {
      in.skipNBytes(start - position)
      current = start
      position = start
      bytes = Array.emptyByteArray
    }
    val more = in.readNBytes(count - bytes.length)
    position += more.length
    bytes = bytes ++ more
    if (bytes.length < count) throw new EOFException
    bytes
  }

  override def close(): Unit = in.close()
}

private object TarGz {
  val BufferBytes: Int = 1 << 18
}
