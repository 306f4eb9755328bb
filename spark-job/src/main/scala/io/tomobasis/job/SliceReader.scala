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
    val decoder = sc.broadcast(new SharedDecoder(plan.json))
    val (layout, count) = (plan.layout, files.length)
    val groups = (0 until runs.parts).map { part =>
      runs.of(part).map(slice => SliceSource(slice, plan.files(slice), files(plan.files(slice)))).toArray
    }
    sc.parallelize(groups, runs.parts).mapPartitions { tasks =>
      tasks.flatMap(group => cut(layout, group, decode(_, group, layout, decoder, hadoop, count, verbose)))
    }
  }

  /** Decodes the slices of a group one after the other into `values`; returns their digests, concatenated. */
  private def decode(
      values: Array[Short],
      group: Array[SliceSource],
      layout: Layout,
      decoder: Broadcast[SharedDecoder],
      hadoop: Broadcast[SerializableConfiguration],
      count: Int,
      verbose: Boolean
  ): Array[Byte] =
    group.zipWithIndex.flatMap { case (source, i) =>
      val file = source.file
      val bytes =
        try HadoopFiles.read(file, wholeLength(file), hadoop.value.value)
        catch { case e: IOException => throw Unreadable(file, source.fileIndex, count, verbose, e) }
      try decoder.value.get.decode(source.slice, file.name, bytes, values, i * layout.pixels)
      catch { case e: InputException if verbose => throw new InputException(s"${e.getMessage} [${file.uri}]", e) }
    }

  /** Pieces of all row blocks, made one at a time as the shuffle writes them. */
  private def cut(
      layout: Layout,
      group: Array[SliceSource],
      decode: Array[Short] => Array[Byte]
  ): Iterator[(Int, Piece)] = {
    val slices = new Array[Short](Math.multiplyExact(group.length, layout.pixels))
    val digests = decode(slices)
    Iterator.range(0, layout.blocks).map { block =>
      val (first, rows) = (layout.firstRow(block), layout.rows(block))
      val values = new Array[Short](group.length * rows)
      for (i <- group.indices) System.arraycopy(slices, i * layout.pixels + first, values, i * rows, rows)
      block -> Piece(block, group.head.slice, values, if (block == 0) digests else Array.emptyByteArray)
    }
  }

  private def wholeLength(file: InputFile): Int =
    if (file.length <= HadoopFiles.LongestArray) file.length.toInt
    else throw new IOException("longer than an array can be")
}

/** One decoder per executor, made by the first task that needs it. */
final class SharedDecoder(planJson: String) extends PerExecutor[SliceDecoder] {
  override protected def make(): SliceDecoder = new SliceDecoder(planJson)
}
