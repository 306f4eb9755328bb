package io.tomobasis.job

import org.apache.spark.broadcast.Broadcast
import org.apache.spark.util.SerializableConfiguration

import java.io.IOException

import io.tomobasis.kernels.InputException

/** One slice to read: its place in the series, and its file's place in the listing. */
final case class SliceSource(slice: Int, fileIndex: Int, file: InputFile)

/** The files of a series as tasks see them. */
final case class SourceFiles(hadoop: Broadcast[SerializableConfiguration], fileCount: Int, verbose: Boolean) {

  def read(source: SliceSource): Array[Byte] =
    try {
      if (source.file.length > HadoopFiles.LongestArray) throw new IOException("longer than an array can be")
      HadoopFiles.read(source.file, source.file.length.toInt, hadoop.value.value)
    } catch {
      case e: IOException => throw Unreadable(source.file, source.fileIndex, fileCount, verbose, e)
    }

  /** Runs what works on a file; where paths may be shown, an error about its content names it. */
  def on[T](source: SliceSource)(work: Array[Byte] => T): T = {
    val bytes = read(source)
    try work(bytes)
    catch {
      case e: InputException if verbose => throw new InputException(s"${e.getMessage} [${source.file.uri}]", e)
    }
  }
}

object SourceFiles {

  /** The slices of each run. */
  def grouped(plan: SeriesPlan, files: IndexedSeq[InputFile], runs: Runs): IndexedSeq[Array[SliceSource]] =
    (0 until runs.parts).map { part =>
      runs.of(part).map(slice => SliceSource(slice, plan.files(slice), files(plan.files(slice)))).toArray
    }
}
