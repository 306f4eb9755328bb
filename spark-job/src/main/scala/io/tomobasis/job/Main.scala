package io.tomobasis.job

import org.apache.spark.SparkConf

import java.io.PrintStream

import io.tomobasis.jni.Platform

/**
 * The job's entry point: options in, exit code out.
 *
 * 0 done; 1 failed while running; 2 bad usage or options; 3 bad input. A failure is one line on stderr; `--verbose` adds the stack
 * trace and Spark's own log.
 *
 * What is here needs nothing that another Scala lacks, so that such a Spark is refused rather than fail to link.
 */
object Main {

  def main(args: Array[String]): Unit = {
    val problem = Platform.problem()
    if (problem != null) System.err.println("error: ".concat(problem))
    val code = if (problem != null) 1 else run(args, System.out, System.err)
    if (code != 0) System.exit(code)
  }

  private[job] def run(args: Array[String], out: PrintStream, err: PrintStream): Int = Program.run(args, out, err)

  private[tomobasis] def sparkConf(): SparkConf = Program.sparkConf()
}
