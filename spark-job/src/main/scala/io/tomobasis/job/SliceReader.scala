package io.tomobasis.job

import org.apache.spark.SparkContext
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.rdd.RDD
import org.apache.spark.util.SerializableConfiguration

import java.io.IOException

import io.tomobasis.kernels.{InputException, SliceDecoder}

/** One slice to read: its place in the series, and its file's place in the listing. */
final case class SliceSource(slice: Int, fileIndex: Int, file: InputFile)

/** Files to pieces of row blocks: one task per run of consecutive slices, which opens its files, decodes and cuts them. */
object SliceReader {

  def pieces(
      sc: SparkContext,
      plan: SeriesPlan,
      files: IndexedSeq[InputFile],
      runs: Runs,
      hadoop: Broadcast[SerializableConfiguration],
      verbose: Boolean
  ): RDD[(Int, Piece)] = {
    val reader = new SliceReader(plan.layout, sc.broadcast(new SharedDecoder(plan.json)), hadoop, files.length, verbose)
    val groups = (0 until runs.parts).map { part =>
      runs.of(part).map(slice => SliceSource(slice, plan.files(slice), files(plan.files(slice)))).toArray
    }
    sc.parallelize(groups, runs.parts).flatMap(reader.pieces)
  }
}

/** What a decoding task needs besides its slices. */
private final class SliceReader(
    layout: Layout,
    decoder: Broadcast[SharedDecoder],
    hadoop: Broadcast[SerializableConfiguration],
    fileCount: Int,
    verbose: Boolean
) extends Serializable {

  /** Pieces of all row blocks; the slices are decoded at once, the pieces cut one at a time as the shuffle writes them. */
  def pieces(group: Array[SliceSource]): Iterator[(Int, Piece)] = {
    val slices = new Array[Short](Math.multiplyExact(group.length, layout.pixels))
    val digests = group.zipWithIndex.flatMap { case (source, i) => decode(source, slices, i * layout.pixels) }
    Iterator.range(0, layout.blocks).map { block =>
      val (first, rows) = (layout.firstRow(block), layout.rows(block))
      val values = new Array[Short](group.length * rows)
      for (i <- group.indices) System.arraycopy(slices, i * layout.pixels + first, values, i * rows, rows)
      block -> Piece(block, group.head.slice, values, if (block == 0) digests else Array.emptyByteArray)
    }
  }

  private def decode(source: SliceSource, out: Array[Short], offset: Int): Array[Byte] = {
    val (file, bytes) = (source.file, read(source))
    try decoder.value.get.decode(source.slice, file.name, bytes, out, offset)
    catch { case e: InputException if verbose => throw new InputException(s"${e.getMessage} [${file.uri}]", e) }
  }

  private def read(source: SliceSource): Array[Byte] =
    try {
      if (source.file.length > HadoopFiles.LongestArray) throw new IOException("longer than an array can be")
      HadoopFiles.read(source.file, source.file.length.toInt, hadoop.value.value)
    } catch {
      case e: IOException => throw Unreadable(source.file, source.fileIndex, fileCount, verbose, e)
    }
}

/** One decoder per executor, made by the first task that needs it. */
final class SharedDecoder(planJson: String) extends PerExecutor[SliceDecoder] {
  override protected def make(): SliceDecoder = new SliceDecoder(planJson)
}
