package io.tomobasis.run

import org.apache.spark.SparkContext

/** What Spark's pages, its event log and its history server say of jobs and their stages, beside the stages' names. */
private[tomobasis] object Description {
  private val Property = "spark.job.description"
  private val Ours = "TomoBasis: "

  /** Describes the jobs of `body`; what the caller says of its jobs stays in front, and is put back. */
  def of[T](context: SparkContext, text: String)(body: => T): T = {
    val before = Option(context.getLocalProperty(Property))
    context.setJobDescription(before.fold(Ours + text)(theirs => s"$theirs ($Ours$text)"))
    try body
    finally context.setJobDescription(before.orNull)
  }
}
