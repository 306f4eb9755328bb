package io.tomobasis.matrix

import org.apache.spark.broadcast.Broadcast
import org.apache.spark.rdd.RDD

import scala.reflect.ClassTag

import io.tomobasis.figures.{Counted, Figures}
import io.tomobasis.jni.{FileBytes, GramAccumulator, SliceDecoder}

/**
 * Files to pieces of row blocks: one task per run of consecutive slices, which reads each of its files once, decodes and cuts. A tar.gz
 * can only be read from its start, so one task reads it and its slices leave it one by one.
 */
object SliceReader {

  def pieces(
      workers: Workers,
      plan: SeriesPlan,
      groups: IndexedSeq[Seq[SliceSource]],
      files: SourceFiles
  ): RDD[(Int, Piece)] = {
    val layout = plan.layout
    cut(workers, plan, groups, files)(_.pieces(layout))
  }

  /** Files to parts of boxes. */
  def boxes(
      workers: Workers,
      plan: SeriesPlan,
      groups: IndexedSeq[Seq[SliceSource]],
      files: SourceFiles,
      boxes: Boxes
  ): RDD[(Int, Voxels)] = {
    val image = plan.image
    cut(workers, plan, groups, files)(run => boxes.cut(run.voxels(image)))
  }

  private def cut[T: ClassTag](
      workers: Workers,
      plan: SeriesPlan,
      groups: IndexedSeq[Seq[SliceSource]],
      files: SourceFiles
  )(parts: DecodedRun => Iterator[T]): RDD[T] = {
    val decoder = workers.natives.share(new SharedDecoder(plan.json))
    val (slices, badInput) = (new SliceReader(plan.layout, decoder, files, workers.figures), workers.badInput)
    tasks(workers, groups).flatMap(group => badInput.endsAt(group.head.slice)(slices.runs(group).flatMap(parts)))
  }

  /** Of each slice. Decodes all and keeps none. */
  def digests(
      workers: Workers,
      plan: SeriesPlan,
      groups: IndexedSeq[Seq[SliceSource]],
      files: SourceFiles
  ): Seq[DecodedSlice] = {
    val decoder = workers.natives.share(new SharedDecoder(plan.json))
    val slices = new SliceReader(plan.layout, decoder, files, workers.figures)
    try tasks(workers, groups).flatMap(slices.digests).collect().toSeq.sortBy(_.slice)
    finally workers.natives.letGo(decoder)
  }

  private def tasks(workers: Workers, groups: IndexedSeq[Seq[SliceSource]]) = {
    val slices =
      workers.context.parallelize(groups.map(_.toArray), groups.length) // arrays: Kryo knows them by one class
    workers.decoding.fold(slices)(slices.withResources).map(_.toSeq)
  }
}

/** What a decoding task needs besides its slices. */
private final class SliceReader(
    layout: Layout,
    decoder: Broadcast[SharedDecoder],
    files: SourceFiles,
    figures: Figures
) extends Serializable {
  reader =>

  /** Runs of consecutive slices. */
  def runs(group: Seq[SliceSource]): Iterator[DecodedRun] =
    if (SourceFiles.streamed(group))
      files
        .each(group) { (ofFile, bytes) =>
          SourceFiles.consecutive(ofFile).map { slices =>
            val run = new Run(slices)
            run.decode(slices, bytes)
            run.decoded
          }
        }
        .flatten
    else {
      val run = new Run(group)
      files.each(group)(run.decode).foreach(identity)
      Iterator.single(run.decoded)
    }

  /** Consecutive slices: they are decoded at once. */
  private final class Run(run: Seq[SliceSource]) {
    private val slices = new Array[Short](Math.multiplyExact(run.length, layout.pixels))
    private val records = new Array[Byte](SliceDecoder.RECORD_BYTES * run.length)
    val decoded: DecodedRun = new DecodedRun(run.head.slice, run.length, slices, records)

    def decode(ofFile: Seq[SliceSource], file: FileBytes): Unit = {
      val places = ofFile.map(_.slice - run.head.slice)
      val found = reader.decode(ofFile, file, slices, places.map(_ * layout.pixels))
      val size = SliceDecoder.RECORD_BYTES
      for ((i, j) <- places.zipWithIndex) System.arraycopy(found, size * j, records, size * i, size)
    }
  }

  /** What decoding each slice gives. A file that cannot be read at all is the storage's fault and no bad slice. */
  def digests(group: Seq[SliceSource]): Iterator[DecodedSlice] =
    files
      .each(group) { (ofFile, bytes) =>
        val slices = ofFile.map(_.slice)
        val decoded = decoder.value.use(_.digests(slices.toArray, ofFile.head.file.name, bytes))
        count(slices.length, bytes)
        slices.zip(decoded).map { case (slice, found) => DecodedSlice(slice, found.digest, found.error) }
      }
      .flatten

  /** Decodes slices of one file; returns their records. */
  private def decode(sources: Seq[SliceSource], file: FileBytes, out: Array[Short], offsets: Seq[Int]): Array[Byte] = {
    val (slices, name) = (sources.map(_.slice).toArray, sources.head.file.name)
    val records = decoder.value.use(_.decode(slices, name, file, out, offsets.toArray))
    count(slices.length, file)
    records
  }

  private def count(slices: Int, file: FileBytes): Unit = {
    figures.add(Counted.Slices, slices.toLong)
    figures.add(Counted.Bytes, file.head.length.toLong + file.piece.length)
    figures.noteMemory()
  }
}

/**
 * Consecutive slices, decoded; what is cut of them is cut one at a time as the shuffle writes it.
 *
 * @param values  slice after slice, each in row-major order
 * @param records what decoding said of each of them
 */
final class DecodedRun(first: Int, count: Int, values: Array[Short], records: Array[Byte]) {

  /** Pieces of all row blocks. */
  def pieces(layout: Layout): Iterator[(Int, Piece)] = Iterator.range(0, layout.blocks).map { block =>
    val (firstRow, rows) = (layout.firstRow(block), layout.rows(block))
    val ofBlock = new Array[Short](count * rows) // slice-major, as in the block
    for (i <- 0 until count) System.arraycopy(values, i * layout.pixels + firstRow, ofBlock, i * rows, rows)
    block -> Piece(block, first, ofBlock, records, GramAccumulator.blockCheck(ofBlock, rows, first))
  }

  /** All of it. */
  def voxels(image: ImageSize): Voxels = Voxels(Box(first, count, 0, image.rows), values, records)
}

/** One decoder per executor, made by the first task that needs it. */
final class SharedDecoder(planJson: String) extends PerExecutor[SliceDecoder] {
  override protected def make(): SliceDecoder = new SliceDecoder(planJson)
}
