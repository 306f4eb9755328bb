package io.tomobasis.job

import org.apache.spark.SparkContext
import org.apache.spark.rdd.RDD

import scala.annotation.tailrec
import scala.util.Using

import io.tomobasis.kernels.{BlockPartials, BlockPass, PassDriver}

/**
 * What a pass found in the row blocks of a partition, and the slice records that came along.
 *
 * @param bytes   of BlockPartials
 * @param records what decoding said of each slice, as SliceDecoder returns it, where block 0 is; empty in the others
 */
final case class PassPart(bytes: Array[Byte], records: Array[Byte])

/**
 * The methods whose sums have a fixed order, pass after pass over the row blocks. Each pass is broadcast; what a block contributes is
 * a function of the block, and the driver puts the contributions together by the blocks' indices, so neither partitions nor retries
 * change a bit.
 */
object FixedOrderPasses {

  /** Runs all passes; what the last one found is still to be taken by the driver. */
  def run(sc: SparkContext, blocks: RDD[RowBlock], driver: PassDriver, threads: Int): Array[PassPart] = {
    @tailrec def from(parts: Array[PassPart]): Array[PassPart] =
      if (driver.left == 1) parts
      else {
        driver.take(parts.map(_.bytes), threads)
        from(one(sc, blocks, driver.pass.get))
      }
    from(one(sc, blocks, driver.pass.get))
  }

  private def one(sc: SparkContext, blocks: RDD[RowBlock], bytes: Array[Byte]): Array[PassPart] = {
    val pass = sc.broadcast(new SharedPass(bytes))
    try
      blocks
        .mapPartitions { mine =>
          Using.resource(new BlockPartials(pass.value.get)) { found =>
            var records = Array.emptyByteArray
            for (block <- mine) {
              found.add(block.index, block.values, block.rows)
              if (block.index == 0) records = block.records
            }
            Iterator.single(PassPart(found.take(), records))
          }
        }
        .collect()
    finally pass.destroy()
  }
}

/** One pass per executor, made by the first task that needs it. */
final class SharedPass(bytes: Array[Byte]) extends PerExecutor[BlockPass] {
  override protected def make(): BlockPass = new BlockPass(bytes)
}
