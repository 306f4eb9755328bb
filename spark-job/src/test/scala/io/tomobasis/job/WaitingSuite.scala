package io.tomobasis.job

import org.apache.spark.SparkConf
import org.apache.spark.scheduler.{SparkListenerApplicationEnd, SparkListenerExecutorRemoved}
import org.scalatest.funsuite.AnyFunSuite

import io.tomobasis.run.TestFolder.captured

class WaitingSuite extends AnyFunSuite {

  /** The lines printed when executors go for these reasons, in Spark's words. */
  private def said(reasons: String*): Seq[String] = {
    val (_, _, err) = captured { (_, err) =>
      val waiting = new Waiting(new SparkConf(false), err, () => 1, () => "")
      for ((reason, i) <- reasons.zipWithIndex)
        waiting.onExecutorRemoved(SparkListenerExecutorRemoved(0, s"$i", reason))
      waiting.onApplicationEnd(SparkListenerApplicationEnd(0))
    }
    err.linesIterator.toSeq
  }
  private val killed =
    "Remote RPC client disassociated. Likely due to containers exceeding thresholds, or network issues. Check driver logs."

  test("executors that are lost one after the other are one line for every three, with the last one's reason") {
    val line =
      s"3 executors were lost within a minute, the last one so: ${killed.stripSuffix(".")}; Spark starts others"
    assert(said(killed, killed).isEmpty)
    assert(said(killed, "Worker shutting down", killed) == Seq(line))
    assert(said(Seq.fill(7)(killed): _*) == Seq(line, line))
  }

  test("executors that were given back are none that were lost") {
    val returned = Seq("Executor killed by driver.", "Executor decommission.", "worker lost: idle", killed, killed)
    assert(said(returned: _*).isEmpty)
  }
}
