package io.tomobasis.io

import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream
import org.apache.hadoop.conf.Configuration

import java.io.{BufferedInputStream, EOFException, InputStream}

import scala.annotation.tailrec

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

  /** Reads one member, and nothing behind it. By the constructor that every version of the library has. */
  private def next() = new GzipCompressorInputStream(stored)

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
