package io.tomobasis.spark.dicom

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow
import org.apache.spark.sql.catalyst.util.GenericArrayData
import org.apache.spark.sql.types._
import org.apache.spark.unsafe.types.UTF8String

import scala.jdk.CollectionConverters._

import io.tomobasis.jni.UsageException

/** The columns of a slice's row; `docs/python.md` says what they are. */
private[spark] object SliceColumns {

  /** What headers say; nothing of the patient. */
  val Metadata: Seq[StructField] = {
    val numbers = ArrayType(DoubleType)
    Seq(
      "series" -> StringType,
      "slice" -> IntegerType,
      "slices" -> IntegerType,
      "modality" -> StringType,
      "rows" -> IntegerType,
      "columns" -> IntegerType,
      "unit" -> StringType,
      "position_mm" -> DoubleType,
      "origin_mm" -> numbers,
      "orientation" -> numbers,
      "pixel_spacing_mm" -> numbers,
      "slice_spacing_mm" -> DoubleType,
      "tilt_degrees" -> DoubleType,
      "slope" -> DoubleType,
      "intercept" -> DoubleType,
      "offset" -> IntegerType,
      "instance_number" -> LongType,
      "transfer_syntax" -> StringType,
      "bits_stored" -> IntegerType,
      "file" -> StringType,
      "frame" -> IntegerType
    ).map { case (name, kind) => StructField(name, kind) }
  }

  /** The stored pixels less `offset`, as little-endian int16, row by row. */
  val Pixels: StructField = StructField("pixels", BinaryType)

  /** A file's path, which headers do not say. */
  val Path: StructField = StructField("path", StringType)

  /** What leads to a patient. */
  val Patient: Seq[StructField] =
    Seq("series_instance_uid", "sop_instance_uid").map(StructField(_, StringType)) :+ Path

  /** Columns with one value, which filters may be about. */
  val Comparable: Map[String, DataType] =
    (Metadata ++ Patient).map(field => field.name -> field.dataType).filterNot(_._2.isInstanceOf[ArrayType]).toMap

  /** Those of a schema that is asked for. Throws UsageException for columns that there are not, or that may not be asked for. */
  def checked(schema: StructType, patientData: Boolean): StructType = {
    val offered = Metadata ++ Seq(Pixels) ++ Patient
    for (name <- schema.fieldNames.diff(schema.fieldNames.distinct).headOption)
      throw new UsageException(s"$name: the schema has this column twice; name it once")
    for (field <- schema) {
      val kind = offered.find(_.name == field.name).map(_.dataType).getOrElse {
        val names = offered.map(_.name).mkString(", ")
        throw new UsageException(s"${field.name}: there is no such column; there are $names")
      }
      if (!same(field.dataType, kind))
        throw new UsageException(
          s"${field.name}: it is ${kind.simpleString}, not ${field.dataType.simpleString}; change the schema"
        )
      if (Patient.exists(_.name == field.name) && !patientData)
        throw new UsageException(
          s"${field.name}: it can identify a patient; to read it set the option patient_data to true"
        )
    }
    // Spark believes a schema that says that nothing is missing, and would take a missing number for 0.
    StructType(schema.map(field => offered.find(_.name == field.name).fold(field)(_.copy(metadata = field.metadata))))
  }

  private def same(one: DataType, other: DataType): Boolean = (one, other) match {
    case (ArrayType(a, _), ArrayType(b, _)) => a == b
    case _ => one == other
  }

  /** A slice's value of a column, as native code wrote it, to what Spark's filters are about; null where there is none. */
  def value(slice: JsonNode, name: String): Any = Option(slice.get(name)).filterNot(_.isNull) match {
    case None => null
    case Some(node) =>
      Comparable.get(name) match {
        case Some(StringType) => node.asText
        case Some(IntegerType) => node.intValue
        case Some(LongType) => node.longValue
        case Some(_) => node.doubleValue
        case None => node.elements.asScala.map(_.doubleValue).toArray
      }
  }

  /** A row as Spark has it. */
  def row(values: Seq[Any]): InternalRow = new GenericInternalRow(
    values
      .map {
        case text: String => UTF8String.fromString(text)
        case numbers: Array[Double] => new GenericArrayData(numbers)
        case other => other
      }
      .toArray[Any]
  )
}
