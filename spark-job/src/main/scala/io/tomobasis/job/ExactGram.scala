package io.tomobasis.job

import org.apache.spark.rdd.RDD

import scala.util.Using

import io.tomobasis.kernels.GramAccumulator

/**
 * The exact Gram matrix of a series, and the slice records that came along.
 *
 * @param bytes   of a GramAccumulator over all row blocks
 * @param records what decoding said of each slice, as SliceDecoder returns it
 */
final case class ExactGram(bytes: Array[Byte], records: Array[Byte])

/**
 * Each partition sums its row blocks; the sums are merged along a tree. They are integers, so neither the tree nor the partitions
 * change a bit.
 */
object ExactGram {
  private val DriverBytes = 256L << 20

  def sum(blocks: RDD[RowBlock], columns: Int): ExactGram = {
    val sums = blocks.mapPartitions { mine =>
      Using.resource(new GramAccumulator(columns)) { sum =>
        var records = Array.emptyByteArray
        for (block <- mine) {
          sum.add(block.values, block.rows)
          if (block.index == 0) records = block.records
        }
        Iterator.single(ExactGram(sum.toBytes, records))
      }
    }
    // Small sums go straight to the driver; where that would be too much for it, executors merge them first.
    val atDriver = 16L * columns * columns * sums.getNumPartitions
    sums.treeReduce(
      (a, b) =>
        Using.resource(new GramAccumulator(columns)) { sum =>
          sum.merge(a.bytes)
          sum.merge(b.bytes)
          ExactGram(sum.toBytes, a.records ++ b.records)
        },
      depth = if (atDriver <= DriverBytes) 1 else 2
    )
  }
}
