package io.tomobasis.run

import org.apache.spark.SparkContext

import java.util.{Properties, UUID}

/** What the Spark jobs of one run are known by, among those of others on the same context. */
final case class RunTag(name: String) {

  /** Runs Spark's jobs as jobs of this run. */
  def on[T](context: SparkContext)(body: => T): T = {
    context.addJobTag(name)
    try body
    finally context.removeJobTag(name)
  }

  /** Whether what has these properties is of this run. */
  def isOf(properties: Properties): Boolean =
    Option(properties).flatMap(p => Option(p.getProperty(RunTag.Property))).exists(_.split(',').contains(name))
}

object RunTag {
  private val Property = "spark.job.tags"

  def make(): RunTag = RunTag(s"tomobasis-${UUID.randomUUID}")
}
