package io.tomobasis.job

import org.apache.hadoop.conf.Configuration
import org.apache.spark.SparkConf

import java.io.PrintStream

import io.tomobasis.jni.{AllSeries, InputException}
import io.tomobasis.run.{ArchiveFolder, EachSeries, JobConfig, Progress}

/** `--series all`: the results of all series of an archive, and what is told of them later. */
object ArchiveJob {

  /** Throws what ended the run, or that some series failed, once all that is known has been printed. */
  def run(
      config: JobConfig,
      sparkConf: SparkConf,
      hadoop: Configuration,
      out: PrintStream,
      err: PrintStream
  ): Unit = {
    EachSeries.memory(sparkConf)
    val folder = ArchiveFolder.at(config.output, hadoop)
    folder.check(config.kind)
    val progress = new Progress(err.println(_), 2)
    val end = Cluster.run(sparkConf, progress, err)(new EachSeries(_, config, folder).make())
    out.println(end.closing)
    AllSeries.check(end.rows, config.failFast)
  }

  /** What the index of an archive says. */
  def status(output: String, hadoop: Configuration): String = {
    val folder = ArchiveFolder.at(output, hadoop)
    AllSeries.status(folder.index.getOrElse {
      throw new InputException(
        s"--status: there is no ${AllSeries.INDEX} in this folder; give the output of --series all"
      )
    })
  }
}
