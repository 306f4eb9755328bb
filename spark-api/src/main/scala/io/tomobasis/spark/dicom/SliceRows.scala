package io.tomobasis.spark.dicom

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.connector.metric.{CustomSumMetric, CustomTaskMetric}
import org.apache.spark.sql.connector.read.{InputPartition, PartitionReader, PartitionReaderFactory}

import java.nio.{ByteBuffer, ByteOrder}

import io.tomobasis.jni.{FileBytes, InputException}
import io.tomobasis.matrix.SourceFiles
import io.tomobasis.spark.Lines

/** Readers for tasks. */
private[dicom] final class SliceRowsFactory(files: SourceFiles, skipsBadSlices: Boolean)
    extends PartitionReaderFactory {
  override def createReader(partition: InputPartition): PartitionReader[InternalRow] = (partition: @unchecked) match {
    case HeaderRows(rows) => new SliceRows(rows.iterator, () => 0)
    case PixelRows(slices, column) =>
      val pixels = new PixelReader(files, column, skipsBadSlices)
      new SliceRows(pixels.rows(slices.toSeq), () => pixels.skipped)
  }
}

private final class SliceRows(rows: Iterator[InternalRow], skipped: () => Long) extends PartitionReader[InternalRow] {
  private var row: InternalRow = _

  override def next(): Boolean = {
    val more = rows.hasNext
    if (more) row = rows.next()
    more
  }

  override def get(): InternalRow = row

  override def currentMetricsValues(): Array[CustomTaskMetric] = Array(new CustomTaskMetric {
    override def name(): String = SkippedSlices.Name
    override def value(): Long = skipped()
  })

  override def close(): Unit = ()
}

/** Decodes slices, file by file, and counts those that it leaves out. */
private final class PixelReader(files: SourceFiles, column: Int, skipsBadSlices: Boolean) {
  private var left = 0L

  def skipped: Long = left

  def rows(slices: Seq[SliceToRead]): Iterator[InternalRow] =
    slices.groupBy(_.decoder.id).valuesIterator.flatMap { ofSeries =>
      val bySlice = ofSeries.map(slice => slice.source.slice -> slice).toMap
      files
        .each(ofSeries.map(_.source))((ofFile, bytes) => decoded(ofFile.map(one => bySlice(one.slice)), bytes))
        .flatten
    }

  /** The rows of slices of one file. */
  private def decoded(slices: Seq[SliceToRead], file: FileBytes): Seq[InternalRow] =
    try {
      val first = slices.head
      val pixels = new Array[Short](Math.multiplyExact(slices.length, first.pixels))
      val starts = slices.indices.map(_ * first.pixels)
      first.decoder.value.use(
        _.decode(slices.map(_.source.slice).toArray, first.source.file.name, file, pixels, starts.toArray)
      )
      slices.zip(starts).map { case (slice, start) => withPixels(slice.row, pixels, start, slice.pixels) }
    } catch {
      case _: InputException if skipsBadSlices && slices.length > 1 => slices.flatMap(one => decoded(Seq(one), file))
      case e: InputException if skipsBadSlices =>
        Lines.say(s"skipped: ${e.getMessage}")
        left += 1
        Nil
    }

  private def withPixels(row: InternalRow, pixels: Array[Short], start: Int, count: Int): InternalRow = {
    val bytes = ByteBuffer.allocate(Math.multiplyExact(2, count)).order(ByteOrder.LITTLE_ENDIAN)
    bytes.asShortBuffer.put(pixels, start, count)
    val whole = row.copy()
    whole.update(column, bytes.array)
    whole
  }
}

/** Slices that could not be decoded and were left out. */
final class SkippedSlices extends CustomSumMetric {
  override def name(): String = SkippedSlices.Name

  override def description(): String = "slices left out that cannot be decoded"
}

private[dicom] object SkippedSlices {
  val Name = "skippedSlices"
}
