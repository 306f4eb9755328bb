package io.tomobasis.spark

import java.util.{Map => JavaMap}

import scala.jdk.CollectionConverters._

import io.tomobasis.jni.UsageException
import io.tomobasis.run.JobConfig

/**
 * The options of a call: those of the command by their names without dashes (`rank`, `method`, `center`, ...), with their values as
 * text. One that needs no value is `true` or `false`.
 *
 * Native code parses the command line that they make, so that library, job and command accept the same and refuse it in the same words.
 *
 * @param writes whether there is a result folder
 */
private[spark] final case class RunOptions(config: JobConfig, writes: Boolean)

private[spark] object RunOptions {

  /** What a command line names where there is no result folder and no file: nothing is read or written there. */
  private val Nowhere = "spark:memory"

  /** Options that print. */
  private val OfCommand = Seq("help", "version", "verbose", "quiet")

  /** Options that need no value, so that `false` leaves them out. */
  private val Flags = Set("center", "join", "overwrite", "no-patient-data", "fail-fast")

  /** Options that only a result folder has. */
  private val OfOutput = Set("overwrite", "emit", "report", "composite", "dicom-syntax", "no-patient-data")

  /**
   * The options of a call as texts. What a Map of Java, or of Python through py4j, holds besides is what it looks like: 50 is `50`.
   */
  def texts(options: JavaMap[String, String]): Map[String, String] = {
    if (options == null) throw new UsageException("options: null is no map; give an empty one, or leave it out")
    val all = options.asInstanceOf[JavaMap[Any, Any]].asScala.toSeq.map { case (name, value) =>
      val text = String.valueOf(name).stripPrefix("--")
      if (value == null) refuse(text, "null is no value; give one, or leave the option out")
      text -> String.valueOf(value)
    }
    for ((name, 2) <- all.groupBy(_._1).map { case (name, same) => name -> same.length })
      refuse(name, "it is there twice, with dashes and without; give it once")
    all.toMap
  }

  /** Of files. */
  def ofFiles(paths: Seq[String], options: Map[String, String]): RunOptions = parse(paths, None, options)

  /** Of files whose series is denoised. */
  def ofDenoising(paths: Seq[String], options: Map[String, String]): RunOptions =
    parse(paths, None, options, Seq("--denoise"))

  /** Of a matrix that Spark has. */
  def ofMatrix(options: Map[String, String]): RunOptions = parse(Seq(s"$Nowhere-matrix"), Some("parquet"), options)

  private def parse(
      paths: Seq[String],
      format: Option[String],
      asked: Map[String, String],
      kind: Seq[String] = Nil
  ): RunOptions = {
    if (asked.contains("input")) refuse("input", "the input is an argument of its own; leave it out")
    if (format.isDefined && asked.contains("input-format")) refuse("input-format", "it is about files; leave it out")
    for (name <- asked.keys.toSeq.sorted if OfOutput(name) && !asked.contains("output"))
      refuse(name, "it is about the result folder; add output, or leave it out")
    for (name <- OfCommand if asked.contains(name)) refuse(name, "it is the command's alone; leave it out")
    if (asked.contains("denoise")) refuse("denoise", "it is a function of its own, TomoBasis.denoise; leave it out")
    val words = asked.toSeq.sorted.flatMap {
      case (name, "true") => Seq(s"--$name")
      case (name, "false") if Flags(name) => Nil
      case (name, value) => Seq(s"--$name=$value")
    }
    val input = paths.map(path => s"--input=${Option(path).getOrElse("")}")
    val more = format.toSeq.flatMap(Seq("--input-format", _)) ++
      (if (asked.contains("output")) Nil else Seq("--output", Nowhere))
    JobConfig.parse((kind ++ input ++ more ++ words).toArray) match {
      case Right(config) if config.allSeries =>
        refuse("series", "all is for the command and the job; name one series here")
      case Right(config) => RunOptions(config, asked.contains("output"))
      case Left(_) => throw new UsageException("there is no help here; see docs/spark.md")
    }
  }

  private def refuse(name: String, problem: String): Nothing = throw new UsageException(s"--$name: $problem")
}
