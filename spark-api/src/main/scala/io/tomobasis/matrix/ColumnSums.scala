package io.tomobasis.matrix

import java.math.BigDecimal

/** Exact sums of the columns of some rows. */
final class ColumnSums extends Serializable {
  private var columns = Array.empty[ExactSum]
  private var even = true // whether all rows have one length
  private var rows = 0L

  /** Adds a row; None is one that has no numbers. */
  def add(row: Option[Array[Double]]): Unit = {
    val values = row.getOrElse(Array.emptyDoubleArray)
    even &= row.isDefined
    if (fits(values.length)) {
      var j = 0
      while (j < values.length) {
        columns(j).add(values(j))
        j += 1
      }
    }
    rows += 1
  }

  /** Adds those of other rows. */
  def merge(other: ColumnSums): ColumnSums = {
    if (other.rows > 0 && fits(other.columns.length))
      for ((mine, its) <- columns.zip(other.columns)) mine.merge(its)
    even &= other.even
    rows += other.rows
    this
  }

  def count: Long = rows

  /** Whether there are rows, all of one length. */
  def isMatrix: Boolean = even && rows > 0

  /** Correctly rounded. */
  def sums: Array[Double] = columns.iterator.map(_.rounded).toArray

  private def fits(length: Int): Boolean = {
    if (rows == 0) columns = Array.fill(length)(new ExactSum)
    even &= columns.length == length
    even
  }
}

/** The exact sum of floats, as floats that do not overlap, the smallest first (Shewchuk 1997, "grow expansion"). */
final class ExactSum extends Serializable {
  private var parts = Array.emptyDoubleArray
  private var size = 0

  def add(value: Double): Unit = {
    var sum = value
    var kept = 0
    var i = 0
    while (i < size) {
      val a = sum
      val b = parts(i)
      sum = a + b
      val shareOfB = sum - a
      val error = (a - (sum - shareOfB)) + (b - shareOfB)
      if (error != 0) {
        parts(kept) = error
        kept += 1
      }
      i += 1
    }
    if (kept == parts.length) parts = java.util.Arrays.copyOf(parts, math.max(2, 2 * kept))
    parts(kept) = sum
    size = kept + 1
  }

  def merge(other: ExactSum): Unit = for (i <- 0 until other.size) add(other.parts(i))

  /** The nearest float; NaN where a number, or the sum, is not finite. */
  def rounded: Double = {
    val all = parts.take(size)
    if (all.forall(java.lang.Double.isFinite))
      all.foldLeft(BigDecimal.ZERO)((sum, part) => sum.add(new BigDecimal(part))).doubleValue
    else Double.NaN
  }
}
