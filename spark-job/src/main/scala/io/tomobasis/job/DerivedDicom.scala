package io.tomobasis.job

import org.apache.spark.{HashPartitioner, SparkContext}
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.rdd.RDD

import scala.util.Using

import io.tomobasis.kernels.{CompositeRenderer, Decomposition, DerivedSlices}

/**
 * Composites to derived DICOM: row blocks are rendered where they are, their strips shuffled to runs of slices, and each run is
 * put together by one task, which reads its slices' files again for their attributes and writes one file for each and composite.
 */
object DerivedDicom {

  /** One strip for each row block and run, by the run's number. */
  def strips(
      sc: SparkContext,
      blocks: RDD[RowBlock],
      renderer: Broadcast[SharedComposites],
      groups: IndexedSeq[Seq[SliceSource]]
  ): RDD[(Int, Array[Byte])] = {
    val starts = sc.broadcast(DerivedDicom.starts(groups))
    blocks.flatMap { block =>
      val made = renderer.value.get.render(block.index, block.values, block.rows, starts.value)
      made.iterator.zipWithIndex.map { case (strip, run) => run -> strip }
    }
  }

  /** Places of the runs' first slices. */
  private def starts(groups: IndexedSeq[Seq[SliceSource]]): Array[Int] =
    groups.map(_.length).scanLeft(0)(_ + _).init.toArray

  /** Writes the files; returns their records for the manifest. */
  def write(
      strips: RDD[(Int, Array[Byte])],
      renderer: Broadcast[SharedComposites],
      groups: Broadcast[IndexedSeq[Seq[SliceSource]]],
      files: SourceFiles,
      folder: TaskFolder
  ): Array[Array[Byte]] =
    strips
      .partitionBy(new HashPartitioner(groups.value.length)) // sends run i to partition i
      .mapPartitionsWithIndex { (run, arriving) =>
        val group = groups.value(run)
        Using.resource(new DerivedSlices(renderer.value.get, starts(groups.value)(run), group.length)) { slices =>
          arriving.foreach { case (_, strip) => slices.add(strip) }
          val records = files.each(group, whole = true) { (ofFile, bytes) =>
            for (made <- slices.write(ofFile.head.slice, ofFile.head.file.name, bytes.head)) yield {
              folder.write(made.path, made.bytes)
              made.records
            }
          }
          records.flatten.toArray.iterator
        }
      }
      .collect()
}

/** One renderer per executor, made by the first task that needs it. */
final class SharedComposites(decomposition: Array[Byte]) extends PerExecutor[CompositeRenderer] {
  override protected def make(): CompositeRenderer = {
    val whole = Decomposition.fromBytes(decomposition)
    try new CompositeRenderer(whole)
    finally whole.close()
  }
}
