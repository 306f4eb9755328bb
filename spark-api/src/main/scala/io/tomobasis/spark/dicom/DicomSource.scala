package io.tomobasis.spark.dicom

import org.apache.spark.sql.connector.catalog.{SupportsRead, Table, TableCapability, TableProvider}
import org.apache.spark.sql.connector.expressions.Transform
import org.apache.spark.sql.connector.read.ScanBuilder
import org.apache.spark.sql.sources.DataSourceRegister
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.CaseInsensitiveStringMap

import java.util.{Map => JavaMap, Set => JavaSet}

import io.tomobasis.jni.NativeLibrary

/**
 * `format("dicom")`: one row for each slice of the series in a folder, archive or file, on any Hadoop file system.
 *
 * Columns are those of `schema(..)`, else all of what headers say, with the option `pixels` also the pixels. Only what a query uses is read:
 * the headers, by the driver, when the query is planned; pixels by tasks, of the slices that its filters leave.
 *
 * Options: `path`, as `load` gives it; `series`, `join`, `on_bad_slice` and `padding`, as for the command; `pixels`; `patient_data`, without
 * which columns that lead to a patient are refused; `slices_per_partition`, 32 by default. An [[io.tomobasis.jni.UsageException]] or
 * `InputException` says what is wrong.
 */
final class DicomSource extends TableProvider with DataSourceRegister {
  override def shortName(): String = "dicom"

  override def supportsExternalMetadata(): Boolean = true

  override def inferSchema(options: CaseInsensitiveStringMap): StructType = {
    NativeLibrary.load() // says so where this jar does not run
    new DicomOptions(options).schema
  }

  override def getTable(
      schema: StructType,
      partitioning: Array[Transform],
      properties: JavaMap[String, String]
  ): Table =
    new DicomTable(schema, new DicomOptions(properties))
}

private final class DicomTable(asked: StructType, options: DicomOptions) extends Table with SupportsRead {
  override def name(): String = "dicom"

  override val schema: StructType = SliceColumns.checked(asked, options.patientData)

  override def capabilities(): JavaSet[TableCapability] = JavaSet.of(TableCapability.BATCH_READ)

  override def newScanBuilder(ofScan: CaseInsensitiveStringMap): ScanBuilder = new DicomScanBuilder(schema, options)
}
