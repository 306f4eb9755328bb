package io.tomobasis.job

import org.apache.logging.log4j.{Level, LogManager}
import org.apache.logging.log4j.core.config.Configurator
import org.apache.spark.SparkConf

import java.io.{PrintStream, PrintWriter, StringWriter}

import scala.util.control.NonFatal

import io.tomobasis.jni.{CommandLine, LocalFiles, NativeLibrary, StatusRequest}
import io.tomobasis.matrix.KernelRegistrator
import io.tomobasis.run.{Cores, JobConfig}

/** The job: options in, exit code out; a failure is one line. See [[Main]]. */
private[job] object Program {

  def run(args: Array[String], out: PrintStream, err: PrintStream): Int = {
    var verbose = false
    try {
      NativeLibrary.load()
      if (args.headOption.contains("--status")) out.println(status(args))
      else
        JobConfig.parse(args) match {
          case Left(text) => out.println(text.stripLineEnd)
          case Right(config) =>
            verbose = config.verbose
            if (verbose) Configurator.setAllLevels(LogManager.ROOT_LOGGER_NAME, Level.INFO)
            DecomposeJob.run(config, sparkConf(), out, err)
        }
      0
    } catch {
      case thrown if NonFatal(thrown) || thrown.isInstanceOf[LinkageError] || thrown.isInstanceOf[OutOfMemoryError] =>
        val failure = Failure.of(thrown)
        val message = printable(failure.message)
        err.println(s"error: $message")
        TerminationMessage.write(message)
        if (verbose) err.print(printable(trace(thrown)))
        failure.exitCode
    }
  }

  private def status(args: Array[String]): String = CommandLine.parse(args) match {
    case asked: StatusRequest => ArchiveJob.status(asked.output, DecomposeJob.hadoopConf(sparkConf()))
    case other => throw new IllegalStateException(s"--status is no $other")
  }

  /** Messages of exceptions may hold names of files, with characters that a terminal would obey. */
  private def printable(lines: String): String = lines.split("\n", -1).map(LocalFiles.printable).mkString("\n")

  private def trace(thrown: Throwable): String = {
    val text = new StringWriter
    thrown.printStackTrace(new PrintWriter(text))
    text.toString.replace("\t", "  ")
  }

  /** What the job needs of Spark, under whatever spark-submit set. */
  def sparkConf(): SparkConf = {
    val conf = new SparkConf()
    conf.set("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
    // Beside the site's own, if there are any.
    val registrators =
      conf.getOption("spark.kryo.registrator").filter(_.nonEmpty) ++ Some(classOf[KernelRegistrator].getName)
    conf.set("spark.kryo.registrator", registrators.mkString(","))
    conf.setIfMissing("spark.app.name", "tomobasis")
    conf.setIfMissing("spark.master", "local[*]")
    conf.setIfMissing("spark.ui.showConsoleProgress", "false")
    // Where the job ends with this process, nobody can look at its pages afterward.
    if (conf.get("spark.master").startsWith("local")) conf.setIfMissing("spark.ui.enabled", "false")
    // Its tasks have the classes that this process has; Spark would copy the jars, over a connection to itself.
    if (Cores.local(conf)) conf.remove("spark.jars")
    // The sums of a partition are one object of 16 n^2 bytes.
    conf.setIfMissing("spark.kryoserializer.buffer.max", "2000m")
    // Spark finds where a shuffle file was damaged; Spark 4.1 also finds a task that has made other rows the second time.
    conf.setIfMissing("spark.shuffle.checksum.enabled", "true")
    conf.setIfMissing("spark.sql.shuffle.orderIndependentChecksum.enabled", "true")
    conf.setIfMissing("spark.sql.shuffle.orderIndependentChecksum.enableFullRetryOnMismatch", "true")
    // Noise is most of what a row block holds: compressing it costs more than it saves.
    conf.setIfMissing("spark.shuffle.compress", "false")
  }
}
