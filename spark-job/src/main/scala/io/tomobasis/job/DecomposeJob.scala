package io.tomobasis.job

import org.apache.hadoop.conf.Configuration
import org.apache.spark.SparkConf

import java.io.PrintStream

import scala.util.Using

import io.tomobasis.run.{Cores, Headers, JobConfig, Progress, ResultFolder, RunFigures, SeriesWorks}

/**
 * A run of the job: the library's decomposition, or a denoised series, on a SparkContext that is started for it.
 *
 * The output is looked at before Spark starts, and in a run of one process the input too, so that what cannot work fails at once. On
 * a cluster Spark starts before the input is listed: executors register meanwhile, and YARN gives up a driver that takes 100 s for it.
 */
object DecomposeJob {

  def run(config: JobConfig, sparkConf: SparkConf, out: PrintStream, err: PrintStream): Unit = {
    val hadoop = hadoopConf(sparkConf)
    Cluster.check(sparkConf)
    if (config.allSeries) ArchiveJob.run(config, sparkConf, hadoop, out, err)
    else one(config, sparkConf, hadoop, out, err)
  }

  private def one(
      config: JobConfig,
      sparkConf: SparkConf,
      hadoop: Configuration,
      out: PrintStream,
      err: PrintStream
  ): Unit = {
    val runName = sparkConf.get("spark.tomobasis.run", "")
    val result = ResultFolder.check(config.output, config.overwrite, runName, hadoop, config.kind)
    if (result.finishedBefore)
      err.println("found the result of an earlier attempt of this run, complete: nothing to do")
    else run(config, sparkConf, hadoop, result, out, err)
  }

  private def run(
      config: JobConfig,
      sparkConf: SparkConf,
      hadoop: Configuration,
      result: ResultFolder,
      out: PrintStream,
      err: PrintStream
  ): Unit = {
    val progress = new Progress(err.println(_), config.stageCount)
    def scan() = Headers.read(config, hadoop, progress)
    val early = if (Cores.local(sparkConf)) Some(scan()) else None
    try {
      val written = Cluster.run(sparkConf, progress, err) { run =>
        val headers = early.getOrElse(scan())
        result.prepare()
        Using.resource(SeriesWorks.of(run, config).begin(headers))(_.write(result))
      }
      result.commit()
      RunFigures.tell(written.figures)
      out.println(written.closing)
    } catch {
      case e: Throwable =>
        result.abort()
        throw e
    }
  }

  /** What SparkContext would make of it, before there is one. */
  def hadoopConf(sparkConf: SparkConf): Configuration = {
    val conf = new Configuration
    sparkConf.getAllWithPrefix("spark.hadoop.").foreach { case (key, value) => conf.set(key, value) }
    conf
  }
}
