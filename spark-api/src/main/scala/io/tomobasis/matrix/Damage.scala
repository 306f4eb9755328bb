package io.tomobasis.matrix

import org.apache.spark.rdd.RDD

import java.net.InetAddress

import scala.annotation.tailrec
import scala.util.{Failure, Success, Try}

import io.tomobasis.io.Causes
import io.tomobasis.jni.DamagedException

/** Numbers that memory, a processor, a disk or the network has changed, as their checks tell. */
object Damage {

  /** Times that a job is run again. */
  private val Again = 2

  /** Lets an exception say on which machine the damage was found. */
  def located[T](body: => T): T =
    try body
    catch { case e: DamagedException => throw new DamagedException(s"${e.getMessage} (found on $machine)") }

  /**
   * Runs a job on what stays in the executors; where that, or what was made of it, was damaged, it is made again, and the job runs
   * again. Spark repeats a task too, but on the values that it has kept, or on the same files of a shuffle.
   *
   * @param say tells the user
   */
  def mended[T](kept: RDD[_], say: String => Unit)(job: => T): T = {
    @tailrec def attempt(left: Int): T = Try(job) match {
      case Success(made) => made
      case Failure(e) =>
        val damage = Causes.of(e).collectFirst { case damage: DamagedException => damage.getMessage }
        if (damage.isEmpty || left == 0) throw e
        say(s"${damage.get}: it is made again")
        val level = kept.getStorageLevel
        kept.unpersist(blocking = true)
        // The files that it was made of may be what is damaged.
        kept.cleanShuffleDependencies(blocking = true)
        kept.persist(level)
        attempt(left - 1)
    }
    attempt(Again)
  }

  private def machine: String = Try(InetAddress.getLocalHost.getHostName).getOrElse("a machine without a name")
}
