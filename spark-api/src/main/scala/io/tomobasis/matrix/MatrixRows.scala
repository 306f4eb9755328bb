package io.tomobasis.matrix

import org.apache.spark.rdd.{RDD, ShuffledRDD}

import scala.collection.mutable

import io.tomobasis.figures.Counted
import io.tomobasis.jni.{InputException, MatrixSource}

/** Some rows of one row block: those at the places `rows` of the block, `values` row by row. */
final case class RowPiece(rows: Array[Int], values: Array[Double])

/** Rows of a matrix with their index, from 0. */
final case class IndexedRows(rows: RDD[(Long, Array[Double])], count: Long, columns: Int)

/** What there is in a partition: rows, their least and greatest index, least and greatest length. */
final case class Measured(count: Long, least: Long, greatest: Long, shortest: Int, longest: Int)

/**
 * A matrix whose rows are in an RDD, in any order, to row blocks: one shuffle. Each row must be there once; which ones are not is
 * known where a block is put together.
 */
object MatrixRows {

  /** Numbers that a task keeps before they are sent on. */
  private val Buffered = 1 << 18

  /** Rows without an index, in the order of the RDD. Evaluates it once to count them. */
  def numbered(rows: RDD[Array[Double]]): IndexedRows = {
    val counts = rows.mapPartitions(part => Iterator.single(measured(part.map(-1L -> _)))).collect()
    val starts = counts.scanLeft(0L)(_ + _.count)
    val known = counts.map(_.count)
    val indexed = rows.mapPartitionsWithIndex { (part, mine) =>
      val at = mine.zipWithIndex.map { case (row, i) =>
        if (i >= known(part)) throw changed()
        (starts(part) + i) -> row
      }
      at
    }
    IndexedRows(indexed, starts.last, columns(counts))
  }

  /** Rows with an index. Evaluates the RDD once to find how many there must be: up to the largest index, or as many as are known. */
  def indexed(rows: RDD[(Long, Array[Double])], known: Option[Long] = None): IndexedRows = {
    val found = rows.mapPartitions(part => Iterator.single(measured(part))).collect()
    for (negative <- found.map(_.least).minOption.filter(_ < 0))
      throw new InputException(s"row index $negative: indices of rows count from 0")
    val last = found.map(_.greatest).maxOption.getOrElse(-1L)
    for (count <- known if last >= count)
      throw new InputException(s"row index $last: the matrix has $count rows")
    val count = known.getOrElse(last + 1)
    val there = found.map(_.count).sum
    if (there != count)
      throw new InputException(
        s"there are $there rows, and $count are needed for indices from 0 to ${count - 1}; give each row once, also rows of zeros"
      )
    IndexedRows(rows, count, columns(found))
  }

  /** The row blocks. */
  def read(rows: IndexedRows, workers: Workers, layout: Layout, runs: Runs): RDD[ReadBlock] = {
    val (columns, badInput, figures) = (layout.slices, workers.badInput, workers.figures)
    val pieces = rows.rows.mapPartitions(cut(_, columns))
    new ShuffledRDD[Int, RowPiece, RowPiece](pieces, new BlockPartitioner(runs)).mapPartitionsWithIndex {
      (part, arriving) =>
        badInput.endsAt(0) {
          val blocks = assemble(arriving, layout, runs.of(part))
          figures.add(Counted.RowBlocks, blocks.length.toLong)
          blocks.iterator
        }
    }
  }

  /** Rows to pieces: consecutive ones of a block stay together. */
  private def cut(rows: Iterator[(Long, Array[Double])], columns: Int): Iterator[(Int, RowPiece)] = {
    val height = Layout.BlockRows
    val most = math.max(1, Buffered / columns)
    val ahead = rows.buffered
    Iterator.continually(()).takeWhile(_ => ahead.hasNext).map { _ =>
      val block = (ahead.head._1 / height).toInt
      val (places, values) = (mutable.ArrayBuilder.make[Int], mutable.ArrayBuilder.make[Double])
      var taken = 0
      while (taken < most && ahead.hasNext && (ahead.head._1 / height).toInt == block) {
        val (index, row) = ahead.next()
        if (row.length != columns) throw changed()
        places += (index % height).toInt
        values ++= row
        taken += 1
      }
      block -> RowPiece(places.result(), values.result())
    }
  }

  private def assemble(pieces: Iterator[(Int, RowPiece)], layout: Layout, blocks: Range): Seq[ReadBlock] = {
    val columns = layout.slices
    val values = blocks.map(block => new Array[Double](Math.multiplyExact(columns, layout.rows(block))))
    val seen = blocks.map(block => new Array[Boolean](layout.rows(block)))
    for ((block, piece) <- pieces; i <- piece.rows.indices) {
      val (at, row) = (block - blocks.start, piece.rows(i))
      val rows = layout.rows(block)
      if (row >= rows) throw changed()
      if (seen(at)(row)) throw new InputException(s"row index ${layout.firstRow(block) + row} occurs twice")
      seen(at)(row) = true
      var j = 0
      while (j < columns) {
        values(at)(j * rows + row) = piece.values(i * columns + j)
        j += 1
      }
    }
    for ((block, at) <- blocks.zipWithIndex) yield {
      val missing = seen(at).indexOf(false)
      if (missing >= 0) throw new InputException(s"row index ${layout.firstRow(block) + missing} is missing")
      ReadBlock(block, layout.rows(block), MatrixSource.normalized(block, columns, values(at)))
    }
  }

  private def measured(rows: Iterator[(Long, Array[Double])]): Measured =
    rows.foldLeft(Measured(0, Long.MaxValue, Long.MinValue, Int.MaxValue, 0)) { case (m, (index, row)) =>
      Measured(
        m.count + 1,
        math.min(m.least, index),
        math.max(m.greatest, index),
        math.min(m.shortest, row.length),
        math.max(m.longest, row.length)
      )
    }

  /** Their length, which all rows have. */
  private def columns(found: Array[Measured]): Int = {
    val some = found.filter(_.count > 0)
    if (some.isEmpty) throw new InputException("the matrix has no rows")
    val (shortest, longest) = (some.map(_.shortest).min, some.map(_.longest).max)
    if (shortest != longest)
      throw new InputException(s"rows have from $shortest to $longest numbers; give all the same number of columns")
    longest
  }

  /** The error for rows that are others when they are evaluated again. */
  def changed(): InputException = new InputException(
    "the rows changed between two evaluations; cache or write what they come from, or sort it, so that each time gives the same"
  )
}
