package io.tomobasis.spark.dicom

import com.fasterxml.jackson.core.JsonProcessingException
import org.apache.spark.sql.types.StructType

import java.util.{Locale, Map => JavaMap}

import scala.jdk.CollectionConverters._

import io.tomobasis.jni.UsageException
import io.tomobasis.run.Json

/** Options of a read. Throws UsageException for one that there is not, or that has no such value. */
private[dicom] final class DicomOptions(options: JavaMap[String, String]) {
  import DicomOptions._

  private val asked = options.asScala.map { case (name, value) => name.toLowerCase(Locale.ROOT) -> value }.toMap

  if (asked.keys.exists(OfTables))
    throw new UsageException(
      "format dicom: a catalog has no such tables; use spark.read.format(\"dicom\"), or in SQL " +
        "CREATE TEMPORARY VIEW name USING dicom OPTIONS (path '...')"
    )
  for (name <- asked.keys.toSeq.sorted if !Known(name))
    throw new UsageException(s"$name: there is no such option; give one of ${Known.toSeq.sorted.mkString(", ")}")

  /** The columns where no schema is asked. */
  val schema: StructType = StructType(
    SliceColumns.Metadata ++ (if (flag("pixels")) Seq(SliceColumns.Pixels) else Nil) ++
      (if (flag("patient_data")) SliceColumns.Patient else Nil)
  )

  /** Whether columns that lead to a patient may be asked for. */
  def patientData: Boolean = flag("patient_data")

  /** Whether slices that cannot be used are left out. */
  def skipsBadSlices: Boolean = asked.get("on_bad_slice").contains("skip")

  /** Folders, archives or files: `load` with several paths gives them as a list in JSON. */
  val paths: Seq[String] = asked.get("path").toSeq ++ asked.get("paths").fold(Seq.empty[String])(listed)

  if (paths.isEmpty) throw new UsageException("path: give a folder, archive or file to load")

  val slicesPerPartition: Int = {
    val text = asked.getOrElse("slices_per_partition", "32")
    text.toIntOption.filter(_ > 0).getOrElse {
      throw new UsageException(s"slices_per_partition: '$text' is no number of slices; give 1 or more")
    }
  }

  /** Those of the command. */
  val ofCommand: Map[String, String] =
    Map("join" -> flag("join").toString) ++
      Seq("series", "on_bad_slice", "padding").flatMap(name => asked.get(name).map(name.replace('_', '-') -> _))

  private def listed(json: String): Seq[String] =
    try Json.read(json).elements.asScala.map(_.asText).toSeq
    catch { case _: JsonProcessingException => throw new UsageException("paths: this is no list of paths in JSON") }

  private def flag(name: String): Boolean = {
    val text = asked.getOrElse(name, "false")
    text.toBooleanOption.getOrElse(throw new UsageException(s"$name: '$text' is neither true nor false"))
  }
}

private object DicomOptions {
  private val Known =
    Set("path", "series", "join", "on_bad_slice", "padding", "pixels", "patient_data", "slices_per_partition", "paths")

  /** What a catalog knows of its tables. */
  private val OfTables = Set("location", "owner", "external", "provider", "is_managed_location")
}
