package io.tomobasis.job

import com.fasterxml.jackson.databind.JsonNode
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.FSDataInputStream

import java.io.{BufferedInputStream, EOFException, InputStream}
import java.nio.ByteBuffer
import java.nio.ByteOrder.LITTLE_ENDIAN

import scala.annotation.tailrec
import scala.jdk.CollectionConverters._
import scala.util.Using

import io.tomobasis.jni.{Archive, InputException}

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
      val name = Some(entry.get("name").asText).filter(_.nonEmpty).getOrElse(archive.name)
      val packed = Some(Packed.parse(entry, archive.length))
      InputFile(archive.uri, name, entry.get("length").asLong(-1), packed, unread = unread(entry))
    }
    if (listed.isEmpty) None else Some(Json.read(listed.get).elements.asScala.map(file).toIndexedSeq)
  }

  /** Why something in a list is not read, as native code takes it again. */
  def unread(json: JsonNode): Option[String] = Option(json.get("unread")).filterNot(_.isNull).map(_.toString)

  /** `count` bytes of a file in a tar or a zip, from `start` on; a file that is read whole is compared with its checksum. */
  def read(file: InputFile, packed: Packed, start: Long, count: Int, conf: Configuration): Array[Byte] =
    Using.resource(HadoopFiles.open(file.uri, packed.archiveLength, "random", conf)) { in =>
      val crc = if (start == 0 && count == file.length) packed.crc else -1L
      try
        packed.packing match {
          case Packed.Tar => expanded(packed, start, count)(range(in, _, _))
          case Packed.ZipStored if start + count <= packed.size =>
            Archive.checked(range(in, data(in, packed) + start, count), crc)
          case Packed.ZipDeflated => inflated(in, data(in, packed), packed.size, start, count, crc)
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

/** A gzip stream, which can only be read from its start on: the files in it, in its order. */
final class GzipStream(file: InputFile, conf: Configuration) extends AutoCloseable {
  private val in = {
    val length = file.packed.fold(file.length)(_.archiveLength)
    new GzipMembers(
      new BufferedInputStream(HadoopFiles.open(file.uri, length, "sequential", conf), GzipStream.BufferBytes)
    )
  }
  private var position = 0L
  private var kept = (-1L, Array.emptyByteArray)

  /** A part of a file, which does not begin before the end of the last one; of a sparse file, all of it is read. */
  def read(file: InputFile, start: Long, count: Int): Array[Byte] = {
    val packed = file.packed.get
    if (packed.pieces.isEmpty) next(packed.start + start, count)
    else {
      if (kept._1 != packed.start) kept = packed.start -> next(packed.start, HadoopFiles.arrayLength(packed.size))
      ArchiveFiles.expanded(packed, start, count) { (place, count) =>
        val from = (place - packed.start).toInt
        kept._2.slice(from, from + count)
      }
    }
  }

  /** All of a file. */
  def whole(file: InputFile): Array[Byte] = read(file, 0, HadoopFiles.arrayLength(file.length))

  private def next(start: Long, count: Int): Array[Byte] = {
    if (start < position) throw new IllegalStateException(s"$start is behind in the stream, which is at $position")
    in.skipNBytes(start - position)
    val bytes = in.readNBytes(count)
    position = start + bytes.length
    if (bytes.length < count) throw new EOFException
    bytes
  }

  override def close(): Unit = in.close()
}

/** What the members of a gzip stream expand to, one after the other; zeros behind a member are padding, as they are to native code. */
private final class GzipMembers(stored: BufferedInputStream) extends InputStream {
  private var member = Option(next())

  override def read(): Int = {
    val one = new Array[Byte](1)
    if (read(one, 0, 1) < 0) -1 else one(0) & 0xff
  }

  @tailrec
  override def read(bytes: Array[Byte], offset: Int, count: Int): Int = member match {
    case None => -1
    case Some(in) =>
      val some = in.read(bytes, offset, count)
      if (some >= 0) some
      else {
        member = if (moreBehindZeros()) Option(next()) else None
        read(bytes, offset, count)
      }
  }

  override def close(): Unit = stored.close()

  /** Reads one member, and nothing behind it. */
  private def next() =
    GzipCompressorInputStream.builder().setInputStream(stored).setDecompressConcatenated(false).get()

  private def moreBehindZeros(): Boolean = {
    val first = Iterator
      .continually {
        stored.mark(1)
        stored.read()
      }
      .dropWhile(_ == 0)
      .next()
    if (first >= 0) stored.reset()
    first >= 0
  }
}

object GzipStream {
  private val BufferBytes: Int = 1 << 18

  /** Files of one stream in its order, those together that are links to one. */
  def ordered[T](files: Seq[T])(file: T => InputFile): Seq[Seq[T]] =
    files.groupBy(one => file(one).packed.fold(0L)(_.start)).toSeq.sortBy(_._1).map(_._2)
}
