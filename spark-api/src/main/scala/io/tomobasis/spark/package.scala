package io.tomobasis

/**
 * The library: a decomposition, or a denoised scan, on a Spark session that is there, for Scala, Java and py4j. Nothing is stopped,
 * printed or forced on the session; errors are `TomoBasisException`s.
 *
 *   - `TomoBasis`: the entry
 *   - `TomoBasisResult`: what it returns, as DataFrames and as MLlib's types; `DenoisedResult`: the same of a denoised scan
 *   - `RunOptions`: options by the command's names; `FrameRows`: a DataFrame's rows as those of a matrix; `Requirements`: what is needed
 *   - `TomoBasisPlugin`: figures among Spark's metrics
 *   - `ml`: estimators; `dicom`: the data source
 */
package object spark
