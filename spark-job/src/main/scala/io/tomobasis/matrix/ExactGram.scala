package io.tomobasis.matrix

import org.apache.spark.{HashPartitioner, SparkContext, TaskContext}
import org.apache.spark.rdd.{RDD, ShuffledRDD}

import io.tomobasis.jni.{GramAccumulator, UsageException}

/**
 * The exact Gram matrix of a series, and the slice records that came along.
 *
 * @param parts   of a GramAccumulator over all row blocks, in order
 * @param records what decoding said of the slices, as [[SliceRecords.union]] has it
 */
final case class ExactGram(parts: Array[Array[Byte]], records: Array[Byte])

/**
 * A part of the sums over some row blocks.
 *
 * @param records what decoding said of the slices, as [[SliceRecords.union]] has it, in part 0; empty elsewhere
 */
final case class GramPart(bytes: Array[Byte], records: Array[Byte]) {
  def plus(other: GramPart, slices: Int): GramPart =
    GramPart(GramAccumulator.sum(bytes, other.bytes), SliceRecords.union(records, other.records, slices))
}

/**
 * Each partition sums its row blocks. Small sums go straight to the driver and are added there. Large ones are cut into parts, each of
 * which one task adds up over all partitions; the driver gets every part once, a few at a time. So nowhere is more than one whole
 * sum of `4 n^2` bytes, and no message is larger than a part, whatever n is. The sums are integers: neither the cut nor the order
 * changes a bit.
 */
object ExactGram {
  private val PartBytes = 16L << 20
  private val StraightBytes = 64L << 20
  private val ResultSize = "spark.driver.maxResultSize"

  /** What the driver's heap must hold beside the sums: Spark, headers, results under way. */
  private val BesideBytes = 128L << 20

  /**
   * Refuses more columns than a driver of so much heap can hold the sums of, before any task runs. Throws UsageException.
   *
   * @param heap bytes, as the Java virtual machine counts them
   */
  def check(columns: Int, heap: Long): Unit = {
    val needed = sumBytes(columns) + BesideBytes
    if (needed > heap) {
      def megabytes(bytes: Long) = (bytes + (1 << 20) - 1) >> 20
      throw new UsageException(
        s"--driver-memory: the exact sums of $columns slices are ${megabytes(sumBytes(columns))} MB, for which the driver " +
          s"needs a heap of ${megabytes(needed)} MB; it has ${megabytes(heap)} MB"
      )
    }
  }

  /** The sums' upper triangle. */
  private def sumBytes(columns: Int): Long = 4L * columns * (columns + 1)

  def sum(blocks: RDD[RowBlock], columns: Int): ExactGram = {
    val sc = blocks.sparkContext
    val perJob = resultBytes(sc)
    val bytes = sumBytes(columns)
    if (bytes * blocks.getNumPartitions <= math.min(StraightBytes, perJob)) {
      // Small: one whole sum from each partition, added on the driver.
      val whole = partial(blocks, columns, 1).map(_._2).collect().reduce(_.plus(_, columns))
      ExactGram(Array(whole.bytes), whole.records)
    } else {
      // 1. Parts so small that a message of Spark's holds one, and that the driver's limit holds two.
      val parts = (bytes / math.max(1, math.min(PartBytes, perJob / 2)) + 1).toInt
      // 2. One task for each part adds it up over all partitions: part i is partition i.
      val added = new ShuffledRDD[Int, GramPart, GramPart](partial(blocks, columns, parts), new HashPartitioner(parts))
        .mapPartitions(_.map(_._2).reduceOption(_.plus(_, columns)).iterator)
      // 3. The driver takes the parts in their order, as many at a time as its limit allows.
      val atOnce = math.max(1, parts * perJob / bytes).toInt
      val all =
        (0 until parts).grouped(atOnce).flatMap(sc.runJob(added, (part: Iterator[GramPart]) => part.next(), _)).toArray
      ExactGram(all.map(_.bytes), all.flatMap(_.records))
    }
  }

  /** What a job may bring to the driver, with room for what is around the sums: half of what Spark lets through. */
  private def resultBytes(sc: SparkContext): Long = {
    val limit = sc.getConf.getSizeAsBytes(ResultSize, "1g")
    (if (limit > 0) limit else 1L << 30) / 2
  }

  /** The sums of each partition, cut into parts that are made as they leave. */
  private def partial(blocks: RDD[RowBlock], columns: Int, parts: Int): RDD[(Int, GramPart)] =
    blocks.mapPartitions { mine =>
      val sum = new GramAccumulator(columns)
      TaskContext.get().addTaskCompletionListener[Unit](_ => sum.close())
      var records = Array.emptyByteArray // one list of n records, or several where the input changed
      for (block <- mine) {
        sum.add(block.values, block.rows)
        records = SliceRecords.union(block.records, records, columns)
      }
      Iterator.tabulate(parts)(i => i -> GramPart(sum.part(i, parts), if (i == 0) records else Array.emptyByteArray))
    }
}
