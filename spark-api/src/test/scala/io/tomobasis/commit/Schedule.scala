package io.tomobasis.commit

import java.util.concurrent.Semaphore

import scala.collection.mutable
import scala.util.Random
import scala.util.control.ControlThrowable

/** Thrown where a process is killed: nothing catches it. */
final class Killed extends ControlThrowable

/**
 * Processes that take turns: one runs at a time, from one [[Process.step]] to the next, and a seeded generator says which. The same
 * seed gives the same schedule.
 *
 * Now and then a process is paused until all others are at rest, as a stopped or swapped-out one is; or killed.
 */
final class Schedule(random: Random, kills: Boolean) {
  private val processes = mutable.ArrayBuffer.empty[Process]
  private val back = new Semaphore(0)
  private var running: Process = _

  final class Process(val name: String, body: => Unit) {
    private val turn = new Semaphore(0)
    @volatile var ended = false
    private[Schedule] var (paused, killed) = (false, false)
    private[Schedule] var waitsFor: () => Boolean = () => true
    @volatile private[Schedule] var failure: Option[Throwable] = None

    private val thread = new Thread(() => {
      turn.acquireUninterruptibly()
      try if (!killed) body
      catch {
        case _: Killed => ()
        case e: Throwable => failure = Some(e)
      }
      ended = true
      back.release()
    })
    thread.setDaemon(true)
    thread.start()

    private[Schedule] def resume(): Unit = {
      running = this
      turn.release()
      back.acquireUninterruptibly()
      failure.foreach(e => throw new AssertionError(s"$name: $e", e))
    }

    private[Schedule] def rest(): Unit = {
      back.release()
      turn.acquireUninterruptibly()
      if (killed) throw new Killed
    }
  }

  def start(name: String)(body: => Unit): Process = {
    val process = new Process(name, body)
    processes += process
    process
  }

  /** Ends the turn of the process that runs. */
  def step(): Unit = running.rest()

  /** Ends the turn until something holds. */
  def waitFor(condition: => Boolean): Unit = {
    val process = running
    process.waitsFor = () => condition
    process.rest()
    process.waitsFor = () => true
  }

  /** Kills processes that have not ended. */
  def kill(which: Process => Boolean): Unit = processes.filter(p => !p.ended && which(p)).foreach(_.killed = true)

  /** Runs until every process has ended or waits for what cannot come; `after` each turn. */
  def run(after: => Unit): Unit = {
    var current = Option.empty[Process]
    while (turns(after, current)) current = Some(running)
    kill(_ => true)
    processes.filterNot(_.ended).foreach(_.resume())
  }

  private def turns(after: => Unit, last: Option[Process]): Boolean = {
    def ready(paused: Boolean) = processes.filter(p => !p.ended && p.paused == paused && (p.killed || p.waitsFor()))
    val awake = ready(paused = false)
    val candidates = if (awake.nonEmpty) awake else ready(paused = true)
    candidates.nonEmpty && {
      // Runs of one process, so that others get far while one is at rest.
      val next = last
        .filter(p => candidates.contains(p) && random.nextInt(4) > 0)
        .getOrElse(candidates(random.nextInt(candidates.size)))
      if (random.nextInt(40) == 0) next.paused = true
      else {
        next.paused = false
        if (kills && random.nextInt(300) == 0) next.killed = true
        next.resume()
        after
      }
      true
    }
  }
}
