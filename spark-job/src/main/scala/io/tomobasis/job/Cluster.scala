package io.tomobasis.job

import org.apache.spark.{SparkConf, SparkContext, SparkException}

import java.io.PrintStream

import io.tomobasis.io.Causes
import io.tomobasis.jni.{ComputationException, UsageException}
import io.tomobasis.run.{Cores, DecodeResources, DefaultParallelism, Progress, SparkRun, TaskErrors}

/** Spark that is started for one run of the job. */
object Cluster {
  private val TaskCpus = "spark.task.cpus"

  /** What Spark says of a master that it cannot use. */
  private val OfMaster = Seq("Could not parse Master URL", "Asked to run locally with")

  /** Refuses properties that cannot be used, before anything starts. Throws UsageException. */
  def check(conf: SparkConf): Unit = {
    // Spark divides by it.
    for (cpus <- conf.getOption(TaskCpus) if cpus.trim.toIntOption.exists(_ < 1)) throw refusedSetting(TaskCpus, None)
    DefaultParallelism.asked(conf)
    DecodeResources.requests(conf)
    ()
  }

  /** Starts Spark, runs a job and stops; what ends the job is the user's error rather than Spark's account of it. */
  def run[T](conf: SparkConf, progress: Progress, err: PrintStream)(job: SparkRun => T): T = {
    val sc = start(DefaultParallelism.without(conf))
    // Spark takes the first profile that is made for its default, so these come after the context.
    val decoding = DecodeResources.requests(conf).map(DecodeResources.profile)
    val run = SparkRun.open(sc, progress, decoding, DefaultParallelism.asked(conf))
    if (!Cores.local(conf))
      sc.addSparkListener(new Waiting(conf, err, () => Cores.executors(sc), () => Offers.why(sc)))
    try
      try job(run)
      catch { case e: Throwable if sc.isStopped && TaskErrors.ours(e).isEmpty => throw ended(sc, e) }
      finally {
        run.workers.natives.close()
        sc.stop()
      }
    catch { case e: Throwable => throw refused(conf, e).getOrElse(run.errors.cause(e)) }
  }

  private def start(conf: SparkConf): SparkContext =
    try new SparkContext(conf)
    catch {
      case e: IllegalArgumentException =>
        val unnamed = "--conf: Spark refuses a setting; run again with --verbose to see what it says"
        throw refused(conf, e).getOrElse(new UsageException(unnamed, e))
      case e: SparkException if OfMaster.exists(String.valueOf(e.getMessage).contains) =>
        throw new UsageException(
          "--master: Spark cannot use it; give local[N] of 1 or more threads, spark://HOST:PORT, yarn or k8s://URL",
          e
        )
    }

  /**
   * The error for a setting that Spark does not take, at its start or when it needs it; none where something else is wrong. Of some
   * Spark says the value only.
   */
  private def refused(conf: SparkConf, e: Throwable): Option[UsageException] = {
    // What Spark says, line by line; then the setting whose key it names, the longest first; then one whose value it quotes.
    val illegal = Causes.of(e).filter(_.isInstanceOf[IllegalArgumentException])
    val said = illegal.flatMap(cause => Option(cause.getMessage)).flatMap(_.linesIterator)
    def quoted(value: String) = value.exists(_.isLetter) && !Set("true", "false")(value) &&
      said.exists(line => line.endsWith(s": $value") || line.contains(s"\"$value\"") || line.contains(s"'$value'"))
    val settings = conf.getAll.toSeq
    val named = settings.filter { case (key, _) => said.exists(_.contains(key)) }.maxByOption(_._1.length)
    named.orElse(settings.find(setting => quoted(setting._2))).map { case (key, _) => refusedSetting(key, Some(e)) }
  }

  private def refusedSetting(key: String, cause: Option[Throwable]) = new UsageException(
    s"--conf $key: Spark refuses its value; see the configuration page of Spark's documentation",
    cause.orNull
  )

  /** Where the context has stopped without us, Spark's exception only says that. */
  private def ended(sc: SparkContext, e: Throwable): Throwable =
    new ComputationException(
      s"${sc.master}: the cluster does not answer or has ended the application; its log says why",
      e
    )
}
