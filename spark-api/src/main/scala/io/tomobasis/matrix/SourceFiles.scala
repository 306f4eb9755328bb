package io.tomobasis.matrix

import org.apache.hadoop.conf.Configuration
import org.apache.spark.TaskContext
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.util.SerializableConfiguration

import io.tomobasis.io.{GzipStream, HadoopFiles, InputFile, InputFiles, StoreFailure, Unreadable}
import io.tomobasis.jni.{FileBytes, InputException}

/** One slice to read: its place in the series, its file's place in the listing, and the part of a large file that is enough for it. */
final case class SliceSource(slice: Int, fileIndex: Int, file: InputFile, piece: Option[FilePiece])

/** The files of a series as tasks see them. */
final case class SourceFiles(hadoop: Broadcast[SerializableConfiguration], fileCount: Int, verbose: Boolean) {

  /**
   * Runs what works on some slices of one file, for each file that the slices are in, with what it needs of the file: all, or what
   * is enough for these slices. Files of a gzip stream come in its order, so that it is read once; an error about the content
   * of a file names it where paths may be shown.
   */
  def each[T](slices: Seq[SliceSource], whole: Boolean = false)(
      work: (Seq[SliceSource], FileBytes) => T
  ): Iterator[T] = {
    val (streamed, direct) = slices.groupBy(_.fileIndex).values.toSeq.partition(_.head.file.streamed)
    def on(ofFile: Seq[SliceSource])(bytes: => FileBytes) =
      naming(ofFile.head)(work(ofFile, reading(ofFile.head)(bytes)))
    def bytes(ofFile: Seq[SliceSource]) = {
      val file = ofFile.head.file
      if (whole) SourceFiles.bytes(file, Seq(None), hadoop.value.value)
      else SourceFiles.bytes(file, ofFile.map(_.piece), hadoop.value.value)
    }
    direct.iterator.map(ofFile => on(ofFile)(bytes(ofFile))) ++
      streamed.groupBy(_.head.file.uri).valuesIterator.flatMap { ofArchive =>
        val first = ofArchive.head.head
        val archive = reading(first)(new GzipStream(first.file, hadoop.value.value))
        TaskContext.get().addTaskCompletionListener[Unit](_ => archive.close())
        GzipStream.ordered(ofArchive)(_.head.file).iterator.flatMap { same =>
          lazy val bytes = archive.whole(same.head.head.file)
          same.map(ofFile => on(ofFile)(FileBytes.whole(bytes)))
        }
      }
  }

  private def reading[T](source: SliceSource)(read: => T): T =
    try read
    catch { case StoreFailure(e) => throw Unreadable(source.file, source.fileIndex, fileCount, verbose, e) }

  private def naming[T](source: SliceSource)(work: => T): T =
    try work
    catch {
      case e: InputException if verbose && !e.getMessage.contains(source.file.shown) =>
        throw new InputException(s"${e.getMessage} [${source.file.shown}]", e)
    }
}

object SourceFiles {

  /** Of a large file, its head and one piece that holds the pieces of some slices; else all of it. */
  def bytes(file: InputFile, pieces: Seq[Option[FilePiece]], conf: Configuration): FileBytes = {
    def part(start: Long, end: Long) = {
      val count = math.max(0L, math.min(end, file.length) - start)
      InputFiles.read(file, start, HadoopFiles.arrayLength(count), conf)
    }
    pieces.reduce((a, b) => a.zip(b).map { case (a, b) => a.and(b) }).filter(_ => file.cutable) match {
      case None => FileBytes.whole(part(0, file.length))
      case Some(piece) => new FileBytes(file.length, part(0, piece.head), piece.start, part(piece.start, piece.end))
    }
  }

  /** A slice of a plan. */
  def source(plan: SeriesPlan, files: IndexedSeq[InputFile], slice: Int): SliceSource = {
    val file = plan.keys(slice).file
    SliceSource(slice, file, files(file), plan.pieces(slice))
  }

  /** The slices of each run; a run is of places in `slices`. */
  private def grouped(
      plan: SeriesPlan,
      files: IndexedSeq[InputFile],
      runs: Runs,
      slices: IndexedSeq[Int]
  ): IndexedSeq[Seq[SliceSource]] =
    (0 until runs.parts).map(part => runs.of(part).map(place => source(plan, files, slices(place))))

  /**
   * The slices of each run, where a file has all its slices in one run: files in the order of their first slices. Where each file
   * is one slice, the runs are the given ones.
   */
  def ofWholeFiles(plan: SeriesPlan, files: IndexedSeq[InputFile], runs: Runs): IndexedSeq[Seq[SliceSource]] = {
    val all = grouped(plan, files, runs, plan.keys.indices).flatten
    val byFile = all.groupBy(_.fileIndex).values.toIndexedSeq.sortBy(_.head.slice)
    val places = byFile.scanLeft(0)(_ + _.length)
    byFile
      .zip(places)
      .groupBy { case (_, place) => runs.partOf(place) }
      .toIndexedSeq
      .sortBy(_._1)
      .map(_._2.flatMap(_._1))
  }

  /** What one task each decodes to keep it: consecutive slices within a run, or all slices of one gzip stream. */
  def decodeGroups(plan: SeriesPlan, files: IndexedSeq[InputFile], runs: Runs): IndexedSeq[Seq[SliceSource]] =
    groups(plan, files, runs, plan.keys.indices).flatMap(group =>
      if (streamed(group)) Seq(group) else consecutive(group)
    )

  /** What one task each decodes of these slices: those of a run, or all of one gzip stream. */
  def groups(
      plan: SeriesPlan,
      files: IndexedSeq[InputFile],
      runs: Runs,
      slices: IndexedSeq[Int]
  ): IndexedSeq[Seq[SliceSource]] = {
    val (ofStreams, direct) = grouped(plan, files, runs, slices).map(_.partition(_.file.streamed)).unzip
    direct.filter(_.nonEmpty) ++ ofStreams.flatten.groupBy(_.file.uri).values
  }

  /** Whether a task's slices are those of a gzip stream. */
  def streamed(group: Seq[SliceSource]): Boolean = group.head.file.streamed

  /** Slices, ascending, cut where one is missing between them. */
  def consecutive(slices: Seq[SliceSource]): Seq[Seq[SliceSource]] =
    slices.zipWithIndex.groupBy { case (source, i) => source.slice - i }.toSeq.sortBy(_._1).map(_._2.map(_._1))
}
