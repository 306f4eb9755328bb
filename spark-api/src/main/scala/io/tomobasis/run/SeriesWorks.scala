package io.tomobasis.run

object SeriesWorks {

  /** What the options ask for. */
  def of(run: SparkRun, config: JobConfig): SeriesWork =
    if (config.denoise) new Denoise(run, config) else new Decompose(run, config)
}
