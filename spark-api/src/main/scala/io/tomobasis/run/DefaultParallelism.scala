package io.tomobasis.run

import org.apache.spark.SparkConf

import io.tomobasis.jni.UsageException

/** `spark.default.parallelism`. */
object DefaultParallelism {
  private val Property = "spark.default.parallelism"

  /** What the user or the site asked for. Throws UsageException. */
  def asked(conf: SparkConf): Option[Int] = conf.getOption(Property).map { value =>
    value.trim.toIntOption
      .filter(_ > 0)
      .getOrElse(throw new UsageException(s"$Property: '$value' is not a number of partitions; give 1 or more"))
  }

  /** Without it, for which Spark gives the same number to each job, and to us instead of the number of cores. */
  def without(conf: SparkConf): SparkConf = conf.clone.remove(Property)
}
