package io.tomobasis.spark

/**
 * `spark.read.format("dicom")`: one row for each slice, with the columns and options of the data source in Python.
 *
 *   - `DicomSource`: what Spark finds by the name; `DicomOptions`, `SliceColumns`: what may be asked for
 *   - `DicomScan`: columns and filters that a query needs; `SlicePlanner`: its slices, planned on the driver by their headers
 *   - `SliceFilter`: filters on what headers say; `SliceRows`: rows in tasks, with the pixels that these decode
 */
package object dicom
