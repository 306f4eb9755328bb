package io.tomobasis.job

import org.apache.spark.{HashPartitioner, SparkContext}
import org.apache.spark.rdd.RDD

import io.tomobasis.kernels.{BlockRenderer, Decomposition}

/** What is left of a row block once its basis vectors are written: its record for the manifest and its strips of the pictures. */
final case class RenderedBlock(index: Int, record: Array[Byte], strips: Array[Byte])

/** Records in the order of their blocks, and the pictures as (path, PNG). */
final case class RenderedSeries(records: Array[Array[Byte]], pictures: Array[(String, Array[Byte])])

/**
 * Row blocks to their part of the result. Basis vectors go from the task to the result folder; records and strips, which are
 * small, go to one task that puts the pictures together.
 */
object RenderBlocks {

  def run(sc: SparkContext, blocks: RDD[RowBlock], decomposition: Array[Byte], folder: TaskFolder): RenderedSeries = {
    val renderer = sc.broadcast(new SharedRenderer(decomposition))
    val rendered = blocks.map { block =>
      val made = renderer.value.get.render(block.index, block.values, block.rows)
      val (part, record, strips) = (made(0), made(1), made(2))
      if (part.nonEmpty) folder.write(f"basis/part-${block.index}%05d.parquet", part)
      0 -> RenderedBlock(block.index, record, strips)
    }
    rendered
      .partitionBy(new HashPartitioner(1))
      .mapPartitions { all =>
        val inOrder = all.map(_._2).toArray.sortBy(_.index)
        val pictures = renderer.value.get.pictures(inOrder.map(_.strips))
        Iterator.single(RenderedSeries(inOrder.map(_.record), pictures.map(file => file.path -> file.bytes)))
      }
      .collect()
      .head
  }
}

/** One renderer per executor, made by the first task that needs it. */
final class SharedRenderer(decomposition: Array[Byte]) extends PerExecutor[BlockRenderer] {
  override protected def make(): BlockRenderer = {
    val whole = Decomposition.fromBytes(decomposition)
    try new BlockRenderer(whole)
    finally whole.close()
  }
}
