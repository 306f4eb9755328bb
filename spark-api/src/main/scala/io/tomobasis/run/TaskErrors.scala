package io.tomobasis.run

import org.apache.spark.{ExceptionFailure, SparkContext}
import org.apache.spark.scheduler.{SparkListener, SparkListenerStageSubmitted, SparkListenerTaskEnd}

import java.util.concurrent.{ConcurrentHashMap, ConcurrentLinkedDeque}

import scala.jdk.CollectionConverters._

import io.tomobasis.io.Causes
import io.tomobasis.jni.{InputException, TomoBasisException}
import io.tomobasis.matrix.BadInput

/**
 * The user's errors that the tasks of a run found.
 *
 * Bad input travels as data: a task that meets it ends well, and the run's jobs are cancelled. As an exception it would be tried four
 * times, on one executor after the other, each of which `spark.excludeOnFailure` would take for broken, and would be lost in Spark's
 * own words in the end. Whatever another try may mend stays an exception and Spark's to repeat; its words are kept here.
 *
 * @param tag of the run's jobs
 */
final class TaskErrors(sc: SparkContext, tag: RunTag) extends SparkListener {
  private val found = sc.collectionAccumulator[(Int, InputException)]
  private val thrown = new ConcurrentLinkedDeque[TomoBasisException]
  private val stages = ConcurrentHashMap.newKeySet[Int]

  /** For tasks. */
  val badInput: BadInput = new BadInput(found)

  override def onStageSubmitted(event: SparkListenerStageSubmitted): Unit =
    if (tag.isOf(event.properties)) stages.add(event.stageInfo.stageId)

  override def onTaskEnd(event: SparkListenerTaskEnd): Unit = if (stages.contains(event.stageId)) {
    event.reason match {
      case failure: ExceptionFailure =>
        failure.exception.flatMap(TaskErrors.ours).foreach(thrown.addFirst)
        while (thrown.size > TaskErrors.Kept) thrown.removeLast()
      case _ =>
    }
    if (!found.isZero && !sc.isStopped) sc.cancelJobsWithTag(tag.name)
  }

  /** Throws the bad input that tasks have found, if any: of several, that of the first slice. */
  def check(): Unit = found.value.asScala.minByOption(_._1).foreach { case (_, e) => throw e }

  /** What ended a run, given what Spark said of it. Complete once the context has stopped. */
  def cause(e: Throwable): Throwable =
    found.value.asScala.minByOption(_._1).map(_._2).getOrElse {
      if (TaskErrors.ours(e).isDefined) e
      else {
        val said = Causes.of(e).flatMap(cause => Option(cause.getMessage))
        thrown.asScala.find(ours => said.exists(_.contains(ours.getMessage))).getOrElse(e)
      }
    }
}

object TaskErrors {
  private val Kept = 100

  /** Our own among an exception and its causes. */
  def ours(e: Throwable): Option[TomoBasisException] =
    Causes.of(e).collectFirst { case ours: TomoBasisException => ours }
}
