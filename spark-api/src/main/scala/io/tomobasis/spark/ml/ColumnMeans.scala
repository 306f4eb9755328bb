package io.tomobasis.spark.ml

import org.apache.spark.ml.linalg.Vector
import org.apache.spark.sql.DataFrame

import io.tomobasis.matrix.ColumnSums
import io.tomobasis.run.Description

/**
 * The means of a matrix's columns: each the exact sum, rounded once, divided by the number of rows, so that no order of the rows changes
 * a bit.
 */
private[ml] object ColumnMeans {

  /** Of a DataFrame of one column of vectors; None where there are no rows, or rows that no matrix has. */
  def of(rows: DataFrame): Option[Array[Double]] = {
    val parts = rows.rdd.mapPartitions { part =>
      val sums = new ColumnSums
      for (row <- part) sums.add(Option(row.getAs[Vector](0)).map(_.toArray))
      Iterator.single(sums)
    }
    val all = Description.of(rows.sparkSession.sparkContext, "means of the columns") {
      parts.treeAggregate(new ColumnSums)((a, b) => a.merge(b), (a, b) => a.merge(b))
    }
    val means = all.sums.map(_ / all.count)
    Option.when(all.isMatrix && means.forall(java.lang.Double.isFinite))(means)
  }
}
