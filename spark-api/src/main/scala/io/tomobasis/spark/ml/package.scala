package io.tomobasis.spark

/**
 * Estimators for pipelines of Spark's `ml`: the rows of a DataFrame are the rows of the matrix, as for Spark's own.
 *
 *   - `TomoSVD`, `TomoPCA`: what is fitted; `TomoModel`: what they return, which projects rows
 *   - `ColumnMeans`: the means that are removed, exact whatever the order of the rows
 */
package object ml
