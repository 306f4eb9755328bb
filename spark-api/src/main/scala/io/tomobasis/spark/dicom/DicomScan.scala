package io.tomobasis.spark.dicom

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.connector.metric.CustomMetric
import org.apache.spark.sql.connector.read._
import org.apache.spark.sql.sources.Filter
import org.apache.spark.sql.types.StructType

/** A query's columns and filters. Spark applies the filters again, so that they only have to leave out what cannot pass. */
private[dicom] final class DicomScanBuilder(schema: StructType, options: DicomOptions)
    extends ScanBuilder
    with SupportsPushDownFilters
    with SupportsPushDownRequiredColumns {
  private var columns = schema
  private var filters = Array.empty[Filter]

  override def pushFilters(asked: Array[Filter]): Array[Filter] = {
    filters = asked.filter(SliceFilter.isKnown)
    asked
  }

  override def pushedFilters(): Array[Filter] = filters

  override def pruneColumns(required: StructType): Unit = columns = required

  override def build(): Scan = new DicomScan(columns, filters.toSeq, options)
}

private final class DicomScan(columns: StructType, filters: Seq[Filter], options: DicomOptions)
    extends Scan
    with Batch {
  private lazy val planned = SlicePlanner.plan(SparkSession.active, columns, filters, options)

  override def readSchema(): StructType = columns

  override def description(): String = s"dicom, pushed filters: ${filters.length}"

  override def toBatch: Batch = this

  override def planInputPartitions(): Array[InputPartition] = planned.partitions.toArray

  override def createReaderFactory(): PartitionReaderFactory =
    new SliceRowsFactory(planned.files, options.skipsBadSlices)

  override def supportedCustomMetrics(): Array[CustomMetric] = Array(new SkippedSlices)
}
