package io.tomobasis.run

import org.apache.spark.scheduler._

import java.util.concurrent.{ConcurrentHashMap, CountDownLatch, TimeUnit}

import scala.collection.mutable

/**
 * One stage of a run, counted in items that the user knows, not in Spark's tasks.
 *
 * @param weight items that each partition stands for; a stage of the driver alone is one partition and counts by itself
 * @param passes over all items, each a stage of Spark's
 */
final class Stage(
    val number: Int,
    val name: String,
    val unit: String,
    val weight: IndexedSeq[Int],
    passes: Int = 1
) {
  val total: Long = weight.map(_.toLong).sum * passes
  private[run] val finished = new CountDownLatch(1)
  private val counted = mutable.Set.empty[(Int, Int)]
  private var begun = 0L
  private var spent = 0L
  private var done = 0L
  private var (submitted, ended) = (0, 0)

  /** Whether it has not begun before. */
  private[run] def begin(): Boolean = synchronized {
    val first = begun == 0
    if (first) begun = System.nanoTime
    first
  }
  private[run] def advance(items: Int): Unit = synchronized(done += items)

  /** The number of a pass that begins. */
  private[run] def nextPass(): Int = synchronized {
    submitted += 1
    submitted
  }

  /** A partition computed twice, by a retry or a speculative copy, counts once in a pass. */
  private[run] def taskDone(partition: Int, pass: Int = 1): Unit = synchronized {
    if (counted.add(pass -> partition)) done += weight(partition)
  }

  /** Whether the pass that ended was the last. */
  private[run] def passDone(): Boolean = synchronized {
    ended += 1
    ended >= passes
  }

  private[run] def end(): Unit = synchronized {
    spent = System.nanoTime - begun
    finished.countDown()
  }

  private[run] def complete: Boolean = synchronized(done == total)

  /** Wall-clock time in seconds: so far, or of the whole stage once it has ended. */
  def seconds: Double = synchronized((if (spent > 0) spent else if (begun > 0) System.nanoTime - begun else 0L) / 1e9)

  def line(of: Int): String = synchronized {
    val time =
      if (finished.getCount == 0) f"$seconds%.1f s"
      else if (done == 0) "starting"
      else f"${math.ceil(seconds * (total - done) / done)}%.0f s left"
    f"[$number/$of] $name%-9s $done%d/$total%d $unit  $time"
  }
}

/**
 * Progress in lines: one when a stage ends, and every two seconds while it runs.
 *
 * Spark reports the end of each task to this listener; a Spark stage is known by its name, the call site that [[Progress.site]] sets.
 * Where one call makes several Spark stages, the first is the one that works on the items. Events arrive late, so [[await]] lets the driver's own lines come after those of the stages before.
 *
 * @param out takes the lines
 * @param of  stages that there are
 */
final class Progress(out: String => Unit, of: Int) extends SparkListener {
  import Progress._

  private val bySite = new ConcurrentHashMap[String, Stage]
  private val running = new ConcurrentHashMap[Int, (Stage, Int)]
  private var reported = 0L
  @volatile private var tag = Option.empty[RunTag]

  /** Takes the jobs with this tag for its run's. */
  private[run] def follow(tag: RunTag): Unit = this.tag = Some(tag)

  /** Runs a stage of the driver; the body is given what to call as items are done. */
  def driver[T](stage: Stage)(body: (Int => Unit) => T): T = {
    begin(stage)
    val result = body { items =>
      stage.advance(items)
      report(stage)
    }
    finish(stage)
    result
  }

  /** A line between those of the stages. */
  def say(line: String): Unit = synchronized(out(line))

  /** What a stage is, in Spark's interface. */
  def title(stage: Stage): String = s"${site(stage)} (${stage.number} of $of)"

  /** Announces a stage that Spark will run under the name [[site]]. */
  def expect(stage: Stage): Unit = bySite.put(site(stage), stage)

  /** Waits for the last line of a stage that Spark has run. */
  def await(stage: Stage): Unit = stage.finished.await(5, TimeUnit.SECONDS)

  override def onStageSubmitted(event: SparkListenerStageSubmitted): Unit =
    if (tag.exists(_.isOf(event.properties)))
      Option(bySite.get(event.stageInfo.name)).filter(_.finished.getCount > 0).foreach { stage =>
        running.computeIfAbsent(event.stageInfo.stageId, _ => stage -> stage.nextPass())
        begin(stage)
      }

  override def onTaskEnd(event: SparkListenerTaskEnd): Unit =
    Option(running.get(event.stageId)).filter(_ => event.taskInfo.successful).foreach { case (stage, pass) =>
      stage.taskDone(event.taskInfo.partitionId, pass)
      report(stage)
    }

  /** A stage that failed is submitted again under its number. */
  override def onStageCompleted(event: SparkListenerStageCompleted): Unit =
    if (event.stageInfo.failureReason.isEmpty)
      Option(running.remove(event.stageInfo.stageId)).foreach { case (stage, _) =>
        if (stage.passDone()) finish(stage)
      }

  private def begin(stage: Stage): Unit = synchronized {
    if (stage.begin()) reported = System.nanoTime
  }

  private def report(stage: Stage): Unit = synchronized {
    val now = System.nanoTime
    if (now - reported >= Interval && !stage.complete) {
      reported = now
      out(stage.line(of))
    }
  }

  private def finish(stage: Stage): Unit = if (stage.finished.getCount > 0) {
    stage.end()
    out(stage.line(of))
  }
}

object Progress {
  private val Interval = 2000000000L

  /** The call site, shown in Spark's own interface too, of the RDD or action that is this stage. */
  def site(stage: Stage): String = s"${stage.name} ${stage.unit}"
}
