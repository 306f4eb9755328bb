package io.tomobasis.job

import org.apache.spark.SparkConf
import org.apache.spark.scheduler._

import java.io.PrintStream
import java.util.concurrent.{Executors, TimeUnit}

import scala.collection.mutable

/**
 * Says what a run waits for: there is work, and for 15 s no task has run; or executors are lost one after the other. Spark warns of
 * neither in words that a user can act on.
 *
 * @param executors how many there are
 * @param why       what is known of the cluster, for the line; asked when one is due
 */
final class Waiting(conf: SparkConf, err: PrintStream, executors: () => Int, why: () => String) extends SparkListener {
  import Waiting._

  private val onDemand = conf.getBoolean("spark.dynamicAllocation.enabled", false)
  private val stages = mutable.Set.empty[Int]
  private val tasks = mutable.Set.empty[Long]
  private val lost = mutable.Queue.empty[Long]
  private var since = System.nanoTime
  private var said = 0
  private val clock = Executors.newSingleThreadScheduledExecutor { task =>
    val thread = new Thread(task, "tomobasis-waiting")
    thread.setDaemon(true)
    thread
  }
  clock.scheduleWithFixedDelay(() => tick(), 1, 1, TimeUnit.SECONDS)

  override def onStageSubmitted(event: SparkListenerStageSubmitted): Unit = synchronized(
    stages += event.stageInfo.stageId
  )
  override def onStageCompleted(event: SparkListenerStageCompleted): Unit = synchronized(
    stages -= event.stageInfo.stageId
  )
  override def onTaskStart(event: SparkListenerTaskStart): Unit = active(tasks += event.taskInfo.taskId)
  override def onTaskEnd(event: SparkListenerTaskEnd): Unit = active(tasks -= event.taskInfo.taskId)
  override def onApplicationEnd(event: SparkListenerApplicationEnd): Unit = clock.shutdownNow()

  override def onExecutorRemoved(event: SparkListenerExecutorRemoved): Unit =
    if (!GivenBack.exists(event.reason.contains)) synchronized {
      val now = System.nanoTime
      lost.enqueue(now)
      lost.dequeueWhile(now - _ > Minute)
      if (lost.length == Many) {
        val reason = event.reason.linesIterator.nextOption().mkString.stripSuffix(".")
        err.println(s"$Many executors were lost within a minute, the last one so: $reason; Spark starts others")
        lost.clear()
      }
    }

  private def active(change: => Any): Unit = synchronized {
    change
    since = System.nanoTime
    said = 0
  }

  private def tick(): Unit = {
    val there = executors()
    due(there).foreach { seconds =>
      val what = if (there == 0) "executors" else s"a free core on one of $there executors"
      err.println(s"waiting for $what, for $seconds s: ${why()}")
    }
  }

  /** Where a line is due, for how many seconds nothing has run: no task of a stage; before the first stage, no executor has come. */
  private def due(there: Int): Option[Long] = synchronized {
    val standing = tasks.isEmpty && (stages.nonEmpty || there == 0 && !onDemand)
    if (!standing) active(())
    val seconds = (System.nanoTime - since) / 1000000000L
    Option.when(standing && seconds >= after(said)) {
      said += 1
      seconds
    }
  }
}

object Waiting {

  /** Seconds of waiting before the first line, the second, and so on. */
  private def after(lines: Int): Long = lines match {
    case 0 => 15
    case 1 => 60
    case more => 300L * (more - 1)
  }
  private val Minute = 60000000000L

  /** So many lost executors in a minute are a fault of the run, not of a node. */
  private val Many = 3

  /** In Spark's reasons for executors that were given back. */
  private val GivenBack = Seq("killed by driver", "decommission", "idle")
}
