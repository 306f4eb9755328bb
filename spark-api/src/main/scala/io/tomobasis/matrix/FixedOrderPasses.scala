package io.tomobasis.matrix

import org.apache.spark.rdd.RDD

import scala.annotation.tailrec
import scala.util.Using

import io.tomobasis.jni.{BlockPartials, BlockPass, PassDriver}

/**
 * What a pass found in the row blocks of a partition, and the slice records that came along.
 *
 * @param partials of BlockPartials
 * @param found    what decoding said of the slices, as [[SliceRecords.union]] has it
 */
final class PassPart private (partials: Sealed, found: Sealed) extends Serializable {
  def bytes: Array[Byte] = partials.bytes
  def records: Array[Byte] = found.bytes
}

object PassPart {
  def apply(bytes: Array[Byte], records: Array[Byte]): PassPart = new PassPart(Sealed(bytes), Sealed(records))
}

/** What the last pass found, and the slice records of all passes. */
final case class LastPass(partials: Array[Array[Byte]], records: Array[Byte])

/**
 * The methods whose sums have a fixed order, pass after pass over the row blocks. Each pass is broadcast; what a block contributes is
 * a function of the block, and the driver puts the contributions together by the blocks' indices, so neither partitions nor retries
 * change a bit.
 */
object FixedOrderPasses {

  /**
   * Runs all passes; what the last one found is still to be taken by the driver.
   *
   * @param mended runs a job on the blocks, which are made again where they were damaged
   */
  def run(blocks: RDD[RowBlock], slices: Int, driver: PassDriver, threads: Int)(
      mended: (=> LastPass) => LastPass
  ): LastPass = {
    @tailrec def from(before: Array[Byte]): LastPass = {
      // 1. Every row block goes through the pass, wherever it is.
      val found = mended {
        val parts = one(blocks, slices, driver.pass.get)
        LastPass(parts.map(_.bytes), parts.map(_.records).foldLeft(before)(SliceRecords.union(_, _, slices)))
      }
      // 2. The driver combines what was found in the order of the blocks, and knows what the next pass is.
      if (driver.left == 1) found
      else {
        driver.add(found.partials, threads)
        from(found.records)
      }
    }
    from(Array.emptyByteArray)
  }

  private def one(blocks: RDD[RowBlock], slices: Int, bytes: Array[Byte]): Array[PassPart] = {
    val shared = new SharedPass(bytes)
    val pass = blocks.sparkContext.broadcast(shared)
    try
      blocks
        .mapPartitions { mine =>
          Using.resource(pass.value.use(new BlockPartials(_))) { found =>
            var records = Array.emptyByteArray
            for (block <- mine) {
              block.values match {
                case stored: Stored => found.add(block.index, stored.verified(block.rows), block.rows)
                case Real(values) => found.add(block.index, values, block.rows)
              }
              records = SliceRecords.union(block.records, records, slices)
            }
            Iterator.single(PassPart(found.take(), records))
          }
        }
        .collect()
    finally {
      shared.close()
      pass.destroy() // closes it in the executors
    }
  }
}

/** One pass per executor, made by the first task that needs it. */
final class SharedPass(bytes: Array[Byte]) extends PerExecutor[BlockPass] {
  override protected def make(): BlockPass = new BlockPass(bytes)
}
