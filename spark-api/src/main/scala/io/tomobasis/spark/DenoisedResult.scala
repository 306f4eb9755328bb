package io.tomobasis.spark

import org.apache.spark.sql.{DataFrame, Row, SparkSession}
import org.apache.spark.sql.types.StructType

import java.nio.{ByteBuffer, ByteOrder}

import scala.collection.immutable.ArraySeq
import scala.jdk.CollectionConverters._

import io.tomobasis.jni.{Inventory, UsageException}
import io.tomobasis.run.{BandedSeries, Json}
import io.tomobasis.spark.dicom.SliceColumns

/**
 * A series with less noise.
 *
 * Its slices stay in the executors, in bands of rows, until [[close]]; [[slices]] puts them together when an action asks.
 */
final class DenoisedResult private[spark] (
    spark: SparkSession,
    series: BandedSeries,
    denoised: BandedSeries#DenoisedSeries,
    knownDigest: Option[String],
    writtenTo: Option[String]
) extends AutoCloseable {
  @volatile private var closed = false

  /** The series in one line. */
  val description: String = series.plan.description

  /** What is unusual about the series and about what was removed, in sentences. */
  val notes: Array[String] = (series.plan.notes ++ denoised.notes ++ denoised.remarks).toArray

  /** The sections of `manifest.json` on series, parameters, noise and effect (`docs/denoise.md`), as JSON. */
  val summary: String = denoised.summary

  /** Standard deviation of the noise, before and after, in HU. */
  val (noiseBefore, noiseAfter) = {
    val effect = Json.read(summary).get("effect")
    def sigma(when: String) = effect.get(when).get("sigma").doubleValue
    (sigma("before"), sigma("after"))
  }

  /** The digest of the denoised pixels, which the command prints; where a folder was written. */
  def digest: Option[String] = knownDigest

  /** The folder, where one was asked for. */
  def output: Option[String] = writtenTo

  /**
   * The denoised slices, in their order: a row for each, with the columns of `format("dicom")` and, in `pixels`, the denoised stored
   * values. What is outside the image (padding) is air here; in files it stays padding.
   */
  def slices: DataFrame = {
    if (closed) throw new UsageException("the result is closed, and its slices are gone; close it when all is done")
    val schema = StructType(SliceColumns.Metadata :+ SliceColumns.Pixels)
    val headers = Json
      .read(Inventory.rows(series.plan.json, false))
      .elements
      .asScala
      .map { slice =>
        SliceColumns.Metadata.map(field => SliceColumns.value(slice, field.name)).map {
          case numbers: Array[Double] => ArraySeq.unsafeWrapArray(numbers)
          case other => other
        }
      }
      .toIndexedSeq
    val rows = denoised.slices.map { case (slice, values) =>
      Row.fromSeq(headers(slice) :+ DenoisedResult.littleEndian(values))
    }
    spark.createDataFrame(rows, schema)
  }

  /**
   * Lets go of the slices in the executors. A DataFrame of slices that was asked for before has the same rows still, for which the input
   * is read and denoised once more.
   */
  override def close(): Unit = {
    closed = true
    denoised.close()
    series.close()
  }
}

private object DenoisedResult {
  def littleEndian(values: Array[Short]): Array[Byte] = {
    val bytes = ByteBuffer.allocate(Math.multiplyExact(2, values.length)).order(ByteOrder.LITTLE_ENDIAN)
    bytes.asShortBuffer.put(values)
    bytes.array
  }
}
