package io.tomobasis.job

import org.apache.spark.broadcast.Broadcast
import org.apache.spark.util.SerializableConfiguration

import java.io.IOException

import io.tomobasis.kernels.{FileBytes, InputException}

/** One slice to read: its place in the series, its file's place in the listing, and what of a large file is enough for it. */
final case class SliceSource(slice: Int, fileIndex: Int, file: InputFile, piece: Option[FilePiece])

/** The files of a series as tasks see them. */
final case class SourceFiles(hadoop: Broadcast[SerializableConfiguration], fileCount: Int, verbose: Boolean) {

  /** Runs what works on a file; where paths may be shown, an error about its content names it. */
  def on[T](source: SliceSource)(work: Array[Byte] => T): T =
    naming(source)(work(reading(source)(part(source, 0, source.file.length))))

  /** Runs what works on slices of one file, with what they need of it. */
  def onSlices[T](sources: Seq[SliceSource])(work: FileBytes => T): T =
    naming(sources.head)(work(reading(sources.head)(bytes(sources))))

  /** Of a large file, its head and one piece that holds the slices; else all of it. */
  private def bytes(sources: Seq[SliceSource]): FileBytes = {
    val first = sources.head
    sources.map(_.piece).reduce((a, b) => a.zip(b).map { case (a, b) => a.and(b) }) match {
      case None => FileBytes.whole(part(first, 0, first.file.length))
      case Some(piece) =>
        val (head, rest) = (part(first, 0, piece.head), part(first, piece.start, piece.end))
        new FileBytes(first.file.length, head, piece.start, rest)
    }
  }

  private def part(source: SliceSource, start: Long, end: Long): Array[Byte] = {
    val count = math.max(0L, math.min(end, source.file.length) - start)
    if (count > HadoopFiles.LongestArray) throw new IOException("longer than an array can be")
    HadoopFiles.read(source.file, start, count.toInt, hadoop.value.value)
  }

  private def reading[T](source: SliceSource)(read: => T): T =
    try read
    catch { case e: IOException => throw Unreadable(source.file, source.fileIndex, fileCount, verbose, e) }

  private def naming[T](source: SliceSource)(work: => T): T =
    try work
    catch {
      case e: InputException if verbose && !e.getMessage.contains(source.file.uri) =>
        throw new InputException(s"${e.getMessage} [${source.file.uri}]", e)
    }
}

object SourceFiles {

  /** The slices of each run. */
  def grouped(plan: SeriesPlan, files: IndexedSeq[InputFile], runs: Runs): IndexedSeq[Array[SliceSource]] = {
    def source(slice: Int) = SliceSource(slice, plan.files(slice), files(plan.files(slice)), plan.pieces(slice))
    (0 until runs.parts).map(part => runs.of(part).map(source).toArray)
  }
}
