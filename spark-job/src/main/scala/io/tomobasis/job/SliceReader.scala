package io.tomobasis.job

import org.apache.spark.SparkContext
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.rdd.RDD

import io.tomobasis.kernels.SliceDecoder

/** Files to pieces of row blocks: one task per run of consecutive slices, which opens its files, decodes and cuts them. */
object SliceReader {

  def pieces(
      sc: SparkContext,
      plan: SeriesPlan,
      groups: IndexedSeq[Array[SliceSource]],
      files: SourceFiles
  ): RDD[(Int, Piece)] = {
    val reader = new SliceReader(plan.layout, sc.broadcast(new SharedDecoder(plan.json)), files)
    sc.parallelize(groups, groups.length).flatMap(reader.pieces)
  }
}

/** What a decoding task needs besides its slices. */
private final class SliceReader(layout: Layout, decoder: Broadcast[SharedDecoder], files: SourceFiles)
    extends Serializable {

  /** Pieces of all row blocks; the slices are decoded at once, the pieces cut one at a time as the shuffle writes them. */
  def pieces(group: Array[SliceSource]): Iterator[(Int, Piece)] = {
    val slices = new Array[Short](Math.multiplyExact(group.length, layout.pixels))
    val digests = group.zipWithIndex.flatMap { case (source, i) =>
      files.on(source)(decoder.value.get.decode(source.slice, source.file.name, _, slices, i * layout.pixels))
    }
    Iterator.range(0, layout.blocks).map { block =>
      val (first, rows) = (layout.firstRow(block), layout.rows(block))
      val values = new Array[Short](group.length * rows)
      for (i <- group.indices) System.arraycopy(slices, i * layout.pixels + first, values, i * rows, rows)
      block -> Piece(block, group.head.slice, values, if (block == 0) digests else Array.emptyByteArray)
    }
  }
}

/** One decoder per executor, made by the first task that needs it. */
final class SharedDecoder(planJson: String) extends PerExecutor[SliceDecoder] {
  override protected def make(): SliceDecoder = new SliceDecoder(planJson)
}
