package io.tomobasis.figures

import org.apache.spark.SparkContext
import org.apache.spark.util.{AccumulatorV2, LongAccumulator}

import java.lang.{Long => JavaLong}

/** The figures of one run: tasks add to them, the driver reads them. */
final class Figures private (counts: Map[Counted, LongAccumulator], memory: LargestAccumulator)
    extends RunCounts
    with Serializable
    with AutoCloseable {

  /** Counts what a task has done. */
  def add(what: Counted, count: Long): Unit = {
    counts(what).add(count)
    Totals.add(what, count)
  }

  /** Multiplies, and counts that and the time that it takes. */
  def multiplying[T](products: Long)(work: => T): T = {
    val began = System.nanoTime
    val made = work
    add(Counted.Products, products)
    add(Counted.Nanoseconds, System.nanoTime - began)
    noteMemory()
    made
  }

  /** Takes note of what native code has needed. */
  def noteMemory(): Unit = memory.add(Totals.takeNativePeak())

  /** On the driver, what tasks that have ended well have told. */
  override def value(what: Counted): Long = counts(what).value

  /** The most bytes that native code of one process had at once, in pieces of 64 KiB and more. */
  def nativePeak: Long = memory.value

  /** The run has ended; its figures are part of the process's. */
  override def close(): Unit = Totals.ended(this)
}

object Figures {
  private val Prefix = "TomoBasis: "

  def open(context: SparkContext): Figures = {
    val counts = Counted.all.map(what => what -> context.longAccumulator(Prefix + what.title)).toMap
    val memory = new LargestAccumulator
    context.register(memory, s"${Prefix}most bytes of native memory")
    val figures = new Figures(counts, memory)
    Totals.began(figures)
    figures
  }

  /** Billions of multiply-accumulates a second on one core. */
  def rate(products: Long, nanoseconds: Long): Double =
    if (nanoseconds == 0) 0 else products.toDouble / nanoseconds.toDouble
}

/** The largest of all numbers. */
final class LargestAccumulator extends AccumulatorV2[JavaLong, JavaLong] {
  private var largest = 0L

  override def isZero: Boolean = largest == 0
  override def copy(): LargestAccumulator = {
    val other = new LargestAccumulator
    other.largest = largest
    other
  }
  override def reset(): Unit = largest = 0
  override def add(value: JavaLong): Unit = largest = math.max(largest, value.longValue)
  override def merge(other: AccumulatorV2[JavaLong, JavaLong]): Unit = add(other.value)
  override def value: JavaLong = largest
}
