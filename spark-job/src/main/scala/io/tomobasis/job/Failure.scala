package io.tomobasis.job

import org.apache.spark.SparkException

import java.io.IOException

import io.tomobasis.io.{Causes, Faults}
import io.tomobasis.jni.{Fault, TomoBasisException}

/** How a run ended: the one line for the user and the exit code. */
final case class Failure(exitCode: Int, message: String)

/**
 * From whatever was thrown to what the user is told. Spark wraps a task's exception and keeps it as a cause, so ours is found by its
 * class; other messages may hold paths and are not repeated.
 */
object Failure {

  /** What fails Spark's own files; of all others, our exceptions tell whose they are. */
  private val OfLocalDisk = Set(Fault.DISK_FULL, Fault.QUOTA_EXCEEDED)

  def of(thrown: Throwable): Failure = {
    val causes = Causes.of(thrown)
    causes
      .collectFirst {
        case e: TomoBasisException => Failure(e.exitCode, e.getMessage)
        case _: OutOfMemoryError =>
          Failure(1, "out of memory; give more with --driver-memory or --executor-memory, or use more partitions")
        case _: StackOverflowError =>
          Failure(1, "a thread's stack overflowed; give more with -Xss in the extra Java options")
        case e: IOException if OfLocalDisk(Faults.of(e)) =>
          val words = Faults.of(e).words(Faults.word(e))
          Failure(
            1,
            s"spark.local.dir: Spark cannot keep its own files there ($words); make room, or set another folder"
          )
      }
      .getOrElse {
        val last = causes.last
        val text = last match {
          case e: SparkException if e.getMessage != null => reason(e.getMessage)
          case e => e.getClass.getName
        }
        Failure(1, s"failed while running ($text); run again with --verbose for details")
      }
  }

  /** What Spark says, without what else it quotes: the first line, or, where that is empty, the first paragraph. */
  private def reason(message: String): String = {
    val lines = message.stripPrefix("Job aborted due to stage failure: ").linesIterator.map(_.trim).toSeq
    if (lines.head.nonEmpty) lines.head
    else lines.tail.takeWhile(line => line.nonEmpty && line != "Most recent failure:").mkString(" ")
  }
}
