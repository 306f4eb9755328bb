package io.tomobasis.run

import org.apache.spark.SparkContext
import org.apache.spark.rdd.RDD
import org.apache.spark.resource.ResourceProfile
import org.apache.spark.storage.StorageLevel

import scala.collection.mutable

import io.tomobasis.figures.Figures
import io.tomobasis.matrix.{Parallelism, SharedNatives, Workers}

/**
 * A SparkContext while one run uses it, which is left as it was found: the run's jobs have a tag of their own, by which its listeners
 * know them and by which they are cancelled, so that any number of runs and other work share a context.
 *
 * Spark's properties of jobs belong to threads: one thread opens a run, works and closes it.
 */
final class SparkRun private (
    val context: SparkContext,
    val progress: Progress,
    tag: RunTag,
    decoding: Option[ResourceProfile],
    asked: Option[Int],
    of: Option[SparkRun]
) extends AutoCloseable {
  private val began = System.nanoTime

  /** What its tasks count, with those of the run that it is a part of. */
  val figures: Figures = of.fold(Figures.open(context))(_.figures)

  /** Of its tasks. */
  val errors: TaskErrors = new TaskErrors(context, tag)

  /** For its stages. */
  val workers: Workers = Workers(context, errors.badInput, decoding, figures, new SharedNatives(context))

  private val kept = mutable.Buffer.empty[RDD[_]]

  /** How many partitions it should have. Counted once, when a stage is about to be cut. */
  lazy val parallelism: Parallelism =
    Parallelism(asked, if (asked.isDefined) context.defaultParallelism else Cores.of(context))

  /** Gives what is defined in `body` the stage's name, in Spark's interface too. A result from part of the input is none. */
  def named[T](stage: Stage)(body: => T): T = {
    progress.expect(stage)
    val before = SparkRun.CallSite.map(key => key -> context.getLocalProperty(key))
    context.setCallSite(Progress.site(stage))
    val made =
      try tagged(progress.title(stage))(body)
      finally before.foreach { case (key, value) => context.setLocalProperty(key, value) }
    errors.check()
    made
  }

  /** Lets an RDD stay in the executors, until it is unpersisted or the run fails; `name` is for Spark's page of what is stored. */
  def keep[T](name: String, rdd: RDD[T]): RDD[T] = {
    kept += rdd.setName(s"TomoBasis: $name")
    rdd.persist(StorageLevel.MEMORY_AND_DISK)
  }

  /** Lets go of all that stays in the executors, once the run has failed. */
  def release(): Unit = kept.foreach(_.unpersist())

  /** Runs Spark's jobs as jobs of this run, of which its pages say what they do. */
  def tagged[T](what: String)(body: => T): T = Description.of(context, what)(tag.on(context)(body))

  /** Seconds since it was opened. */
  def seconds: Double = (System.nanoTime - began) / 1e9

  /** Ends Spark's jobs of this run. */
  def cancel(): Unit = context.cancelJobsWithTag(tag.name)

  override def close(): Unit = {
    workers.natives.close()
    Seq(progress, errors).foreach(context.removeSparkListener)
    if (of.isEmpty) figures.close()
  }
}

object SparkRun {
  private val CallSite = Seq("callSite.short", "callSite.long")

  /** Throws UsageException for properties of the context that cannot be used. */
  def open(context: SparkContext, progress: Progress): SparkRun = {
    val conf = context.getConf
    val asked = DefaultParallelism.asked(conf)
    // Spark takes the first profile that is made for its default, so these come after the context.
    val decoding = DecodeResources.requests(conf).map(DecodeResources.profile)
    open(context, progress, decoding, asked)
  }

  /** The same where the properties were looked at before there was a context; `of` is the run that it is a part of, if any. */
  def open(
      context: SparkContext,
      progress: Progress,
      decoding: Option[ResourceProfile],
      asked: Option[Int],
      of: Option[SparkRun] = None
  ): SparkRun = {
    val tag = RunTag.make()
    progress.follow(tag)
    val run = new SparkRun(context, progress, tag, decoding, asked, of)
    Seq(progress, run.errors).foreach(context.addSparkListener)
    run
  }
}
