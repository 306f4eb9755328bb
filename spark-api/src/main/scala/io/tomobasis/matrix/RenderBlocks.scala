package io.tomobasis.matrix

import org.apache.spark.HashPartitioner
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.rdd.RDD

import scala.util.Using

import io.tomobasis.figures.Figures
import io.tomobasis.jni.{BlockRenderer, Decomposition, DerivedSlices}

/** What a row block leaves behind, besides the files of its basis vectors. */
sealed trait Rendered

/** Its record for the manifest and its bands of the pictures, at the block's index: small. */
final case class RenderedBlock(record: Sealed, bands: Sealed) extends Rendered

/** Its composites of one run of slices. */
final case class CompositeBand(band: Sealed) extends Rendered

/** Records in the order of their blocks, the pictures as (path, PNG), and records of derived files. */
final case class RenderedSeries(
    records: Array[Array[Byte]],
    pictures: Array[(String, Array[Byte])],
    derived: Array[Array[Byte]]
) {
  def ++(other: RenderedSeries): RenderedSeries =
    RenderedSeries(records ++ other.records, pictures ++ other.pictures, derived ++ other.derived)
}

/**
 * Row blocks to their part of the result, each rendered once. Basis vectors go from the task to the result folder. The rest is
 * shuffled: what is small to one task, which puts the pictures together; composites, with derived DICOM, to one task for each
 * run of slices, which reads its slices' files again for their attributes and writes one file for each and composite. A block
 * that is rendered again, after a failure, writes the same file and sends the same records.
 *
 * @param runs the slices of each run; none without derived DICOM
 */
final class RenderBlocks private (
    val renderer: Broadcast[SharedRenderer],
    runs: Broadcast[Array[Array[SliceSource]]],
    files: SourceFiles,
    badInput: BadInput,
    folder: ResultWriter,
    figures: Figures
) extends Serializable {
  private val starts = runs.value.map(_.length).scanLeft(0)(_ + _)

  /** What is shuffled, by the partition that takes it: 0 what is small, i + 1 the composites of run i. */
  def render(blocks: RDD[RowBlock]): RDD[(Int, Rendered)] = blocks.flatMap { block =>
    badInput.endsAt(0) { // a block that was read again after a loss may be of a file that has changed
      // Basis vectors are written here; what is left to shuffle is small, but for composites.
      val parts = renderer.value.use { native =>
        block.values match {
          case stored: Stored =>
            native.render(block.index, stored.verified(block.rows), block.rows, block.records, starts.init)
          case Real(values) => native.render(block.index, values, block.rows, block.records)
        }
      }
      figures.noteMemory()
      parts.files.foreach(file => folder.write(file.path, file.bytes))
      val composites =
        parts.composites.iterator.zipWithIndex.map { case (band, run) => run + 1 -> CompositeBand(Sealed(band)) }
      val small = RenderedBlock(Sealed(parts.record, block.index), Sealed(parts.pictures, block.index))
      Iterator.single[(Int, Rendered)](0 -> small) ++ composites
    }
  }

  /** Draws the pictures and writes the derived files. */
  def finish(rendered: RDD[(Int, Rendered)]): RenderedSeries =
    rendered
      .partitionBy(new HashPartitioner(starts.length)) // sends i to partition i
      .mapPartitionsWithIndex { (partition, arriving) =>
        if (partition == 0) Iterator.single(draw(arriving.collect { case (_, block: RenderedBlock) => block }))
        else
          badInput.endsAt(starts(partition - 1)) {
            Iterator.single(derive(partition - 1, arriving.collect { case (_, CompositeBand(band)) => band.bytes }))
          }
      }
      .collect()
      .reduce(_ ++ _)

  private def draw(blocks: Iterator[RenderedBlock]): RenderedSeries = {
    // Pictures are put together from top to bottom, so the bands have to be in the order of their blocks.
    val inOrder = blocks.toArray.sortBy(_.record.place)
    val pictures = renderer.value.use(_.pictures(inOrder.map(_.bands.bytes)))
    figures.noteMemory()
    RenderedSeries(inOrder.map(_.record.bytes), pictures.map(file => file.path -> file.bytes), Array.empty)
  }

  private def derive(run: Int, bands: Iterator[Array[Byte]]): RenderedSeries =
    Using.resource(renderer.value.use(new DerivedSlices(_, starts(run), runs.value(run).length))) { slices =>
      bands.foreach(slices.add)
      val records = files.each(runs.value(run).toSeq, whole = true) { (ofFile, bytes) =>
        for (made <- slices.write(ofFile.head.slice, ofFile.head.file.name, bytes.head)) yield {
          folder.write(made.path, made.bytes)
          made.records
        }
      }
      RenderedSeries(Array.empty, Array.empty, records.flatten.toArray)
    }
}

object RenderBlocks {
  def apply(
      workers: Workers,
      decomposition: Array[Byte],
      runs: IndexedSeq[Seq[SliceSource]],
      files: SourceFiles,
      folder: ResultWriter
  ): RenderBlocks = {
    val sc = workers.context
    val renderer = workers.natives.share(new SharedRenderer(decomposition))
    val ofRuns = sc.broadcast(runs.map(_.toArray).toArray)
    new RenderBlocks(renderer, ofRuns, files, workers.badInput, folder, workers.figures)
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
