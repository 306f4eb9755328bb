package io.tomobasis.matrix

import org.apache.spark.broadcast.Broadcast
import org.apache.spark.rdd.RDD

import io.tomobasis.jni.BlockBasis

/** What the root digest needs to know of the basis vectors of a row block. */
final case class BasisRecord(bytes: Array[Byte])

/** Some rows of a matrix, from row `first` on, each of `width` numbers, row by row. */
final case class NumberedRows(block: Int, first: Long, width: Int, values: Array[Double]) {

  /** Each row with its index. */
  def rows: Iterator[(Long, Array[Double])] =
    Iterator.range(0, values.length / width).map(i => (first + i) -> values.slice(i * width, (i + 1) * width))
}

/**
 * The numbers that row blocks give once `s` and `V` are known: basis vectors and composites. Nothing is kept: who asks for them has them
 * computed.
 */
final class BlockNumbers private (renderer: Broadcast[SharedRenderer], layout: Layout, rank: Int) extends Serializable {

  /** The basis vectors, in the order of their rows, k numbers each. */
  def basis(blocks: RDD[RowBlock]): RDD[NumberedRows] =
    blocks.map(block => NumberedRows(block.index, layout.firstRow(block.index).toLong, rank, basisOf(block).values))

  /** What the root digest is made of. */
  def records(blocks: RDD[RowBlock]): Array[Array[Byte]] =
    blocks.map(block => BasisRecord(basisOf(block).record)).collect().map(_.bytes)

  /** The composite of some rank, from 1 to k, in the order of its rows, n numbers each. */
  def composite(blocks: RDD[RowBlock], rank: Int): RDD[NumberedRows] = blocks.map { block =>
    val columnMajor = renderer.value.use { native =>
      block.values match {
        case stored: Stored =>
          native.composite(block.index, stored.verified(block.rows), block.rows, block.records, rank)
        case Real(values) => native.composite(block.index, values, block.rows, block.records, rank)
      }
    }
    val first = layout.firstRow(block.index).toLong
    NumberedRows(block.index, first, block.columns, transposed(columnMajor, block.rows, block.columns))
  }

  private def basisOf(block: RowBlock): BlockBasis = renderer.value.use { native =>
    block.values match {
      case stored: Stored => native.basis(block.index, stored.verified(block.rows), block.rows, block.records)
      case Real(values) => native.basis(block.index, values, block.rows, block.records)
    }
  }

  private def transposed(columnMajor: Array[Double], rows: Int, columns: Int): Array[Double] = {
    val out = new Array[Double](columnMajor.length)
    for (j <- 0 until columns) {
      var i = 0
      while (i < rows) {
        out(i * columns + j) = columnMajor(j * rows + i)
        i += 1
      }
    }
    out
  }
}

object BlockNumbers {
  def apply(natives: SharedNatives, decomposition: Array[Byte], layout: Layout, rank: Int): BlockNumbers =
    new BlockNumbers(natives.share(new SharedRenderer(decomposition)), layout, rank)
}
