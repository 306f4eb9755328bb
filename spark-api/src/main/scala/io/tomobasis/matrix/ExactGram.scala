package io.tomobasis.matrix

import org.apache.spark.{HashPartitioner, SparkContext, TaskContext}
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.rdd.{RDD, ShuffledRDD}

import io.tomobasis.figures.Figures
import io.tomobasis.jni.{GramAccumulator, MatrixNumbers, RealGramAccumulator, UsageException}

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
 * @param bytes   which native code checks
 * @param records what decoding said of the slices, as [[SliceRecords.union]] has it, in part 0; empty elsewhere
 */
final class GramPart private (val bytes: Array[Byte], found: Sealed) extends Serializable {
  def records: Array[Byte] = found.bytes

  def plus(other: GramPart, slices: Int): GramPart =
    GramPart(
      Damage.located(GramAccumulator.sum(bytes, other.bytes)),
      SliceRecords.union(records, other.records, slices)
    )
}

object GramPart {
  def apply(bytes: Array[Byte], records: Array[Byte]): GramPart = new GramPart(bytes, Sealed(records))
}

/**
 * Each partition sums its row blocks. Small sums go straight to the driver and are added there. Large ones are cut into parts, each of
 * which one task adds up over all partitions; the driver gets every part once, a few at a time. So nowhere is more than one whole
 * sum of `4 n^2` bytes, and no message is larger than a part, whatever n is. The sums are integers: neither the cut nor the order
 * changes a bit. Each sum is compared with a check that is found from the blocks another way, before it leaves its task and wherever
 * it is added to another ([[Damage]]).
 */
object ExactGram {
  private val PartBytes = 16L << 20

  /** Half of what Kryo serializes at a time unless it is told otherwise. */
  private val StraightBytes = 32L << 20
  private val ResultSize = "spark.driver.maxResultSize"

  /** What the driver's heap must hold beside the sums: Spark, headers, results under way. */
  private val BesideBytes = 128L << 20

  /**
   * Refuses more columns than a driver of so much heap can hold the sums of, before any task runs. Throws UsageException.
   *
   * @param heap bytes, as the Java virtual machine counts them
   */
  def check(columns: Int, heap: Long, sums: Int = 1): Unit = {
    val needed = sums * sumBytes(columns) + BesideBytes
    if (needed > heap) {
      def megabytes(bytes: Long) = (bytes + (1 << 20) - 1) >> 20
      val what = if (sums == 1) s"$columns slices" else s"$columns columns of floats"
      throw new UsageException(
        s"--driver-memory: the exact sums of $what are ${megabytes(sums * sumBytes(columns))} MB, for which the driver " +
          s"needs a heap of ${megabytes(needed)} MB; it has ${megabytes(heap)} MB"
      )
    }
  }

  /** The sums' upper triangle. */
  private def sumBytes(columns: Int): Long = 4L * columns * (columns + 1)

  /** Of integers, the one sum; of a matrix of floats, all sums that its numbers have, one after another. */
  def sum(blocks: RDD[RowBlock], columns: Int, figures: Figures, floats: Option[Floats] = None): ExactGram = {
    val sc = blocks.sparkContext
    val perJob = resultBytes(sc)
    val bytes = sumBytes(columns)
    val sums = floats.fold(1)(_.sums)
    if (sums * bytes * blocks.getNumPartitions <= math.min(StraightBytes, perJob)) {
      // Small: whole sums from each partition, added on the driver.
      val found = partial(blocks, columns, 1, floats, figures).collect().groupMapReduce(_._1)(_._2)(_.plus(_, columns))
      val whole = (0 until sums).map(found).toArray
      ExactGram(whole.map(_.bytes), whole.head.records)
    } else {
      // 1. Parts so small that a message of Spark's holds one, and that the driver's limit holds two.
      val parts = (bytes / math.max(1, math.min(PartBytes, perJob / 2)) + 1).toInt
      // 2. One task for each part adds it up over all partitions: part i is partition i.
      val cut = partial(blocks, columns, parts, floats, figures)
      val added = new ShuffledRDD[Int, GramPart, GramPart](cut, new HashPartitioner(sums * parts))
        .mapPartitions(_.map(_._2).reduceOption(_.plus(_, columns)).iterator)
      // 3. The driver takes the parts in their order, as many at a time as its limit allows.
      val atOnce = math.max(1, parts * perJob / bytes).toInt
      val all =
        (0 until sums * parts)
          .grouped(atOnce)
          .flatMap(sc.runJob(added, (part: Iterator[GramPart]) => part.next(), _))
          .toArray
      ExactGram(all.map(_.bytes), all.flatMap(_.records))
    }
  }

  /** What a job may bring to the driver, with room for what is around the sums: half of what Spark lets through. */
  private def resultBytes(sc: SparkContext): Long = {
    val limit = sc.getConf.getSizeAsBytes(ResultSize, "1g")
    (if (limit > 0) limit else 1L << 30) / 2
  }

  /** The sums of each partition, cut into parts that are made as they leave. */
  private def partial(
      blocks: RDD[RowBlock],
      columns: Int,
      parts: Int,
      floats: Option[Floats],
      figures: Figures
  ): RDD[(Int, GramPart)] =
    blocks.mapPartitions { mine =>
      val sums = floats.fold[Sums](new IntegerSums(columns))(floats => floats.numbers.value.use(new FloatSums(_)))
      TaskContext.get().addTaskCompletionListener[Unit](_ => sums.close())
      var records = Array.emptyByteArray // one list of n records, or several where the input changed
      val ofRow = sums.count * (columns.toLong * (columns + 1) / 2)
      for (block <- mine) {
        figures.multiplying(block.rows * ofRow)(sums.add(block))
        records = SliceRecords.union(block.records, records, columns)
      }
      Iterator.tabulate(sums.count * parts) { i =>
        i -> GramPart(sums.part(i / parts, i % parts, parts), if (i == 0) records else Array.emptyByteArray)
      }
    }
}

/** What the sums of a matrix of floats depend on, and how many they are. */
final case class Floats(numbers: Broadcast[SharedNumbers], sums: Int)

/** The sums over some row blocks. */
private sealed trait Sums extends AutoCloseable {
  def count: Int
  def add(block: RowBlock): Unit
  def part(sum: Int, part: Int, parts: Int): Array[Byte]
  protected def other(block: RowBlock): Nothing =
    throw new IllegalStateException(s"row block ${block.index} has other numbers than the matrix")
}

private final class IntegerSums(columns: Int) extends Sums {
  private val sum = new GramAccumulator(columns)
  override def count: Int = 1
  override def add(block: RowBlock): Unit = block.values match {
    case Stored(values, check) => Damage.located(sum.add(values, block.rows, check))
    case _: Real => other(block)
  }
  override def part(of: Int, part: Int, parts: Int): Array[Byte] = Damage.located(sum.part(part, parts))
  override def close(): Unit = sum.close()
}

private final class FloatSums(numbers: MatrixNumbers) extends Sums {
  private val sums = new RealGramAccumulator(numbers)
  override def count: Int = sums.sums
  override def add(block: RowBlock): Unit = block.values match {
    case Real(values) => sums.add(values, block.rows)
    case _: Stored => other(block)
  }
  override def part(sum: Int, part: Int, parts: Int): Array[Byte] = sums.part(sum, part, parts)
  override def close(): Unit = sums.close()
}
