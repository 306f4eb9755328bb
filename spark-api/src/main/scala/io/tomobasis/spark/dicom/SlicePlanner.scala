package io.tomobasis.spark.dicom

import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.connector.read.InputPartition
import org.apache.spark.sql.sources.Filter
import org.apache.spark.sql.types.StructType
import org.apache.spark.util.SerializableConfiguration

import java.net.URLDecoder
import java.nio.charset.StandardCharsets.UTF_8

import scala.jdk.CollectionConverters._

import io.tomobasis.io.InputFile
import io.tomobasis.jni.{Inventory, NativeLibrary}
import io.tomobasis.matrix.{SeriesPlan, SharedDecoder, SliceSource, SourceFiles}
import io.tomobasis.run.{Json, Progress, SeriesByPixels, SparkRun, TaskErrors}
import io.tomobasis.spark.{Lines, RunOptions}

/** What a query reads. */
private[dicom] final case class PlannedSlices(files: SourceFiles, partitions: Seq[InputPartition])

/** Rows of which headers say all. */
private[dicom] final case class HeaderRows(rows: Array[InternalRow]) extends InputPartition

/** Rows whose pixels are to be read; their place in a row is `column`. */
private[dicom] final case class PixelRows(slices: Array[SliceToRead], column: Int) extends InputPartition

/**
 * A slice whose pixels are to be read.
 *
 * @param decoder of its series
 * @param pixels  of a slice
 * @param row     without them
 */
private[dicom] final case class SliceToRead(
    decoder: Broadcast[SharedDecoder],
    pixels: Int,
    source: SliceSource,
    row: InternalRow
)

/** The slices of a query, on the driver, by the headers of their files. */
private[dicom] object SlicePlanner {
  private val RowsPerPartition = 4096

  def plan(spark: SparkSession, columns: StructType, filters: Seq[Filter], options: DicomOptions): PlannedSlices = {
    NativeLibrary.load()
    val sc = spark.sparkContext
    val config = RunOptions.ofFiles(options.paths, options.ofCommand).config
    val hadoop = sc.broadcast(new SerializableConfiguration(sc.hadoopConfiguration))
    val run = SparkRun.open(sc, new Progress(Lines.say(_), 1))
    val (files, plans) =
      try SeriesByPixels.plan(run, config, hadoop)
      catch {
        case e: Throwable =>
          val cause = run.errors.cause(e)
          throw TaskErrors.ours(cause).getOrElse(cause)
      } finally run.close()
    val wanted = plans.map(plan => plan -> rows(plan, files, columns, filters)).filter(_._2.nonEmpty)
    val partitions = columns.fieldNames.indexOf(SliceColumns.Pixels.name) match {
      case -1 => wanted.flatMap(_._2.map(_._2)).grouped(RowsPerPartition).map(rows => HeaderRows(rows.toArray))
      case column =>
        val slices = wanted.flatMap { case (plan, rows) =>
          val decoder = sc.broadcast(new SharedDecoder(plan.json))
          val byFile = rows.sortBy { case (source, _) => (source.fileIndex, plan.keys(source.slice).frame) }
          byFile.map { case (source, row) => SliceToRead(decoder, plan.layout.pixels, source, row) }
        }
        // A gzip stream can only be read from its start: one task reads it.
        val (streamed, direct) = slices.partition(_.source.file.streamed)
        val groups = direct.grouped(options.slicesPerPartition) ++ streamed.groupBy(_.source.file.uri).valuesIterator
        groups.map(some => PixelRows(some.toArray, column))
    }
    PlannedSlices(SourceFiles(hadoop, files.length, config.verbose), partitions.toSeq)
  }

  /** The slices of a series that pass the filters, in spatial order, with their rows. */
  private def rows(
      plan: SeriesPlan,
      files: IndexedSeq[InputFile],
      columns: StructType,
      filters: Seq[Filter]
  ): Seq[(SliceSource, InternalRow)] = {
    val identifying = SliceColumns.Patient.exists(field => columns.fieldNames.contains(field.name))
    val slices = Json.read(Inventory.rows(plan.json, identifying)).elements.asScala.toIndexedSeq
    for {
      (slice, place) <- slices.zipWithIndex
      source = SourceFiles.source(plan, files, place)
      value = (name: String) =>
        if (name == SliceColumns.Path.name) pathOf(source.file).orNull else SliceColumns.value(slice, name)
      if SliceFilter.passes(filters, value)
    } yield source -> SliceColumns.row(columns.fieldNames.toSeq.map(value))
  }

  /** The path of a file that is in no archive. */
  private def pathOf(file: InputFile): Option[String] =
    Option.when(file.packed.isEmpty)(file.local.fold(file.uri)(URLDecoder.decode(_, UTF_8)))
}
