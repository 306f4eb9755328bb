package io.tomobasis.spark

import io.tomobasis.jni.UsageException
import io.tomobasis.run.JobConfig

/**
 * The options of a call: those of the command by their names without dashes (`rank`, `method`, `center`, ...), with their values as
 * text. One that takes no value is `true` or `false`.
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
  private val OfCommand = Seq("help", "version", "verbose")

  /** Options that only a result folder has. */
  private val OfOutput = Set("overwrite", "emit", "composite", "dicom-syntax", "no-patient-data")

  /** Of files. */
  def ofFiles(path: String, options: Map[String, String]): RunOptions = parse(Some(path), None, options)

  /** Of a matrix that Spark has. */
  def ofMatrix(options: Map[String, String]): RunOptions = parse(None, Some("parquet"), options)

  private def parse(path: Option[String], format: Option[String], options: Map[String, String]): RunOptions = {
    val asked = options.map { case (name, value) => name.stripPrefix("--") -> value }
    if (asked.contains("input")) refuse("input", "the input is an argument of its own; leave it out")
    if (format.isDefined && asked.contains("input-format")) refuse("input-format", "it is about files; leave it out")
    for (name <- asked.keys.toSeq.sorted if OfOutput(name) && !asked.contains("output"))
      refuse(name, "it is about the result folder; add output, or leave it out")
    for (name <- OfCommand if asked.contains(name)) refuse(name, "it is the command's alone; leave it out")
    val words = asked.toSeq.sorted.flatMap {
      case (name, "true") => Seq(s"--$name")
      case (_, "false") => Nil
      case (name, value) => Seq(s"--$name", value)
    }
    val more = format.toSeq.flatMap(Seq("--input-format", _)) ++
      (if (asked.contains("output")) Nil else Seq("--output", Nowhere))
    JobConfig.parse((Seq("--input", path.getOrElse(s"$Nowhere-matrix")) ++ more ++ words).toArray) match {
      case Right(config) if config.allSeries =>
        refuse("series", "all is for the command and the job; name one series here")
      case Right(config) => RunOptions(config, asked.contains("output"))
      case Left(_) => throw new UsageException("there is no help here; see docs/spark.md")
    }
  }

  private def refuse(name: String, problem: String): Nothing = throw new UsageException(s"--$name: $problem")
}
