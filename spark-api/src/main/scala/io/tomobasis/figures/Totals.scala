package io.tomobasis.figures

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.{AtomicLong, LongAdder}

import scala.jdk.CollectionConverters._

import io.tomobasis.jni.NativeLibrary

/** What a run has done. */
trait RunCounts {

  /** As far as the driver has heard of its tasks. */
  def value(what: Counted): Long
}

/** What one process has done since it started: by its own tasks, and, on a driver, by all tasks of its runs. */
object Totals {
  private val tasks = Counted.all.map(_ -> new LongAdder).toMap
  private val runs = Counted.all.map(_ -> new LongAdder).toMap
  private val open = ConcurrentHashMap.newKeySet[RunCounts]
  private val peak = new AtomicLong

  /** By the tasks of this process, also those that failed. */
  def ofTasks(what: Counted): Long = tasks(what).sum

  /** By all tasks of the runs of this process, in whatever process, as far as the driver has heard. */
  def ofRuns(what: Counted): Long = runs(what).sum + open.asScala.map(_.value(what)).sum

  /** Bytes that native code has allocated now, in pieces of 64 KiB and more. */
  def nativeBytes: Long = if (NativeLibrary.isLoaded) NativeLibrary.allocatedBytes else 0

  /** The most that it had at once. */
  def nativePeak: Long = {
    takeNativePeak()
    peak.get
  }

  /** The most since it was taken last. */
  private[figures] def takeNativePeak(): Long =
    if (!NativeLibrary.isLoaded) 0
    else {
      val most = NativeLibrary.takeAllocatedPeak
      peak.accumulateAndGet(most, (a, b) => math.max(a, b))
      most
    }

  private[figures] def add(what: Counted, count: Long): Unit = tasks(what).add(count)

  private[figures] def began(run: RunCounts): Unit = {
    open.add(run)
    ()
  }

  private[figures] def ended(run: RunCounts): Unit =
    if (open.remove(run)) Counted.all.foreach(what => runs(what).add(run.value(what)))
}
