package io.tomobasis.run

import io.tomobasis.jni.{CommandLine, HelpText, JobOptions, ResultKind, StageName, StatusRequest, UsageException}

/** What a run itself needs of its options. Everything else stays in `json`, which only native code reads. */
final case class JobConfig(
    inputs: Seq[String],
    output: String,
    overwrite: Boolean,
    skipBadSlices: Boolean,
    verbose: Boolean,
    dicom: Boolean,
    exact: Boolean,
    matrix: Boolean,
    allSeries: Boolean,
    failFast: Boolean,
    denoise: Boolean,
    stages: IndexedSeq[StageName],
    json: String
) {

  /** How many stages a run has that writes a result folder. */
  def stageCount: Int = if (dicom) stages.length else stages.length - 1

  /** What its output becomes. */
  def kind: ResultKind = if (denoise) ResultKind.DENOISED else ResultKind.RESULT

  /** A stage of the run by its number, from 1; name and unit are native code's. */
  def stage(number: Int, weight: IndexedSeq[Int], passes: Int = 1): Stage =
    new Stage(number, stages(number - 1).name, stages(number - 1).unit, weight, passes)
}

object JobConfig {

  /** Parses the command line: a text to print (help or version), or a configuration. Throws UsageException. */
  def parse(args: Array[String]): Either[String, JobConfig] = CommandLine.parse(args) match {
    case help: HelpText => Left(help.text)
    case _: StatusRequest => throw new UsageException("--status: it is for tomobasis-submit; leave it out")
    case options: JobOptions =>
      Right(
        JobConfig(
          inputs = options.inputs.toSeq,
          output = options.output,
          overwrite = options.overwrite,
          skipBadSlices = options.skipsBadSlices,
          verbose = options.verbose,
          dicom = options.emitsDicom,
          exact = options.exact,
          matrix = options.matrix,
          allSeries = options.allSeries,
          failFast = options.failFast,
          denoise = options.denoises,
          stages = options.stages.toIndexedSeq,
          json = options.json
        )
      )
  }
}
