package io.tomobasis.matrix

import org.apache.spark.Partitioner

import io.tomobasis.jni.NativeLibrary

/**
 * What decides into how many partitions a run is cut.
 *
 * @param asked `spark.default.parallelism`, where it is set
 * @param cores that the run has, or was promised
 */
final case class Parallelism(asked: Option[Int], cores: Int)

/**
 * How a series of `slices` slices of `pixels` pixels is cut. Only the cut into row blocks reaches the result; the numbers of
 * partitions decide where things run.
 */
final case class Layout(pixels: Int, slices: Int) {
  val blocks: Int = ((pixels.toLong + Layout.BlockRows - 1) / Layout.BlockRows).toInt

  def firstRow(block: Int): Int = block * Layout.BlockRows
  def rows(block: Int): Int = math.min(Layout.BlockRows, pixels - firstRow(block))

  /** Partitions for decoding and for row blocks: as many as asked for, else by cores; by size, where that is more. */
  def decodePartitions(parallelism: Parallelism): Int = partitions(slices, parallelism, Layout.DecodeBytes)
  def blockPartitions(parallelism: Parallelism): Int = partitions(blocks, parallelism, Layout.BlockBytes)

  /** Partitions for derived slices, each of which is in `composites` composites. */
  def derivePartitions(parallelism: Parallelism, composites: Int): Int =
    partitions(slices, parallelism, math.max(1L, Layout.DecodeBytes / math.max(1, composites)))

  /** Bands of rows of all slices, one for each partition; `rows` are those of a slice. */
  def bands(rows: Int, parallelism: Parallelism): IndexedSeq[Box] = {
    val steps = (rows + Layout.BandStep - 1) / Layout.BandStep
    val runs = Runs(steps, partitions(math.max(1, rows / Layout.LeastBand), parallelism, Layout.BlockBytes))
    (0 until runs.parts).map { part =>
      val (first, end) = (runs.start(part) * Layout.BandStep, math.min(rows, runs.start(part + 1) * Layout.BandStep))
      Box(0, slices, first, end - first)
    }
  }

  /** At the most one for each item, and none of more than `bytes` bytes of pixels if it can be helped. */
  private def partitions(items: Int, parallelism: Parallelism, bytes: Long): Int = {
    val bySize = (2L * pixels * slices + bytes - 1) / bytes
    val wanted = parallelism.asked.fold(4L * parallelism.cores)(_.toLong)
    math.max(1L, math.min(items.toLong, math.max(wanted, bySize))).toInt
  }
}

object Layout {

  /** The format's block height. */
  lazy val BlockRows: Int = {
    NativeLibrary.load()
    NativeLibrary.blockRows()
  }

  /** Distance of neighboring windows at the default quality: bands that begin where windows do share fewer of these. */
  private val BandStep = 8

  /** Rows of a band at the least: below that, most of its work would be that of its neighbors too. */
  private val LeastBand = 16
  private val DecodeBytes = 16L << 20
  private val BlockBytes = 32L << 20
}

/** Even runs of consecutive items: the row blocks of a partition, the slices of a decoding task. */
final case class Runs(items: Int, parts: Int) {
  def start(part: Int): Int = (part.toLong * items / parts).toInt
  def of(part: Int): Range = start(part) until start(part + 1)
  def sizes: IndexedSeq[Int] = (0 until parts).map(of(_).size)
  def partOf(item: Int): Int = (((item + 1L) * parts - 1) / items).toInt
}

/** Sends pieces to the partition that holds their row block. */
final class BlockPartitioner(val runs: Runs) extends Partitioner {
  override def numPartitions: Int = runs.parts
  override def getPartition(block: Any): Int = runs.partOf(block.asInstanceOf[Int])
  override def equals(other: Any): Boolean = other match {
    case that: BlockPartitioner => that.runs == runs
    case _ => false
  }
  override def hashCode: Int = runs.hashCode
}
