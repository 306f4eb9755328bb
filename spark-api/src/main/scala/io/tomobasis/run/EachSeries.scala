package io.tomobasis.run

import com.fasterxml.jackson.databind.node.ObjectNode
import org.apache.spark.network.util.JavaUtils
import org.apache.spark.util.SerializableConfiguration

import java.util.concurrent.{Executors, TimeUnit}

import scala.collection.mutable
import scala.util.{Try, Using}
import scala.util.control.NonFatal

import io.tomobasis.io.{InputFile, Listing}
import io.tomobasis.jni.{AllSeries, Inventory, TomoBasisException, UsageException}
import io.tomobasis.matrix.{ArchivedSeries, SeriesOutcome, SeriesPlan}

/**
 * `--series all`, as the driver sees it: tasks read the headers, the driver finds the series and holds a row of each, and tasks make the
 * results, the largest first. A series that needs more memory than a task can have is spread over row blocks after the others, as a run
 * of its own would be.
 */
final class EachSeries(run: SparkRun, config: JobConfig, folder: ArchiveFolder) {
  import EachSeries._

  private val sc = run.context
  private val conf = sc.getConf
  private val hadoop = sc.broadcast(new SerializableConfiguration(sc.hadoopConfiguration))
  private val digest = AllSeries.optionsDigest(config.json)
  private val name = Some(conf.get("spark.tomobasis.run", "")).filter(_.nonEmpty).getOrElse(sc.applicationId)

  /** Makes all results; throws what ended the run before that. */
  def make(): ArchiveEnd = {
    val files = Listing.list(config.inputs, sc.hadoopConfiguration)
    val (rows, series, ofNoSeries) = found(files)
    val index = new SeriesIndex(folder, rows)
    if (!config.overwrite) index.takeOver(digest)
    val state = new ArchiveState(index, series, config.failFast)
    Using.resource(new Ticker(() => index.write(), () => run.progress.say(state.line))) { _ =>
      index.write()
      try {
        if (!state.stopped) inTasks(files, series, state)
        if (!state.stopped) state.tooLarge.foreach(spread(_, files, state))
      } finally index.write()
    }
    run.progress.say(state.line)
    RunFigures.tell(RunFigures.of(run, rows.length))
    ArchiveEnd(AllSeries.closing(index.json, ofNoSeries.toArray, folder.names.toArray, config.output), index.json)
  }

  /** Headers in tasks, series on the driver: rows of the index, series of which results are made, what else there is. */
  private def found(files: IndexedSeq[InputFile]): (Seq[String], IndexedSeq[ArchivedSeries], Seq[String]) = {
    val groups = EachSeries.groups(files, run.parallelism.cores)
    val stage = config.stage(1, groups.map(_.length))
    val (options, verbose, count, shared) = (config.json, config.verbose, files.length, hadoop)
    val badInput = run.workers.badInput
    val parts = run.named(stage) {
      if (groups.isEmpty) Array.empty[Array[Byte]]
      else
        sc.parallelize(groups.map(_.map(place => place -> files(place)).toArray), groups.length)
          .flatMap(group =>
            badInput.endsAt(group.head._1)(
              Iterator.single(SeriesScan.part(group.toSeq, count, options, verbose, shared.value.value))
            )
          )
          .map(Zipped.zip)
          .collect()
    }
    if (groups.nonEmpty) run.progress.await(stage)
    Using.resource(new Inventory(config.json)) { inventory =>
      parts.foreach(part => inventory.merge(Zipped.unzip(part)))
      new SeriesByPixels(run, config, hadoop, files).learn(inventory)
      val (rows, series) = (mutable.Buffer.empty[String], mutable.Buffer.empty[ArchivedSeries])
      inventory.visit { (row, plan) =>
        if (plan != null) {
          val folder = Json.read(row).get("folder").asText
          series += ArchivedSeries.of(rows.length, folder, SeriesPlan.of(plan), files)
        }
        rows += row
        ()
      }
      if (rows.isEmpty) inventory.select() // says why there is none
      val what = if (config.denoise) "denoised" else "decomposed"
      run.progress.say(s"found ${rows.length} series, ${series.length} of them to be $what")
      (rows.toSeq, series.toIndexedSeq, inventory.ofNoSeries.toSeq)
    }
  }

  private def inTasks(files: IndexedSeq[InputFile], series: IndexedSeq[ArchivedSeries], state: ArchiveState): Unit =
    if (series.nonEmpty) {
      val maxFailures = if (Cores.local(conf)) 1 else conf.getInt("spark.task.maxFailures", 4)
      val task = SeriesTask(
        config.json,
        digest,
        config.kind,
        config.output,
        config.overwrite,
        name,
        s"spark ${sc.version}",
        memory(conf),
        maxFailures,
        files.length,
        config.verbose,
        hadoop,
        run.figures
      )
      val rdd = sc.parallelize(series, series.length) // tasks are started in this order
      val ended = (place: Int, outcome: SeriesOutcome) => {
        state.take(series(place), outcome)
        if (state.stopped) run.cancel()
      }
      try
        run.tagged(s"results of ${series.length} series")(
          sc.runJob(rdd, (one: Iterator[ArchivedSeries]) => task.outcome(one.next()), ended)
        )
      catch { case NonFatal(_) if state.stopped => () }
    }

  /** A series in parts, as a run of its own has it. */
  private def spread(series: ArchivedSeries, files: IndexedSeq[InputFile], state: ArchiveState): Unit =
    if (!state.stopped) {
      val began = System.nanoTime
      def seconds = (System.nanoTime - began) / 1e9
      run.progress.say(
        s"series ${state.id(series)} does not fit into one task: it is spread over the executors"
      )
      val fields =
        try inParts(series, files, () => seconds)
        catch { case e if NonFatal(e) && !sc.isStopped => SeriesFields.failed(e, seconds) }
      state.take(series, SeriesOutcome(series.place, tooLarge = false, fields.toString))
    }

  private def inParts(series: ArchivedSeries, files: IndexedSeq[InputFile], seconds: () => Double): ObjectNode = {
    val own = SparkRun.open(
      sc,
      new Progress(run.progress.say(_), config.stageCount),
      run.workers.decoding,
      run.parallelism.asked,
      Some(run)
    )
    try {
      val plan = ArchivedSeries.unpack(series.plan)
      val headers = Headers.of(files, config.stage(1, Vector(series.files.length)), plan)
      Using.resource(SeriesWorks.of(own, config).begin(headers)) { parts =>
        val fingerprint = AllSeries.fingerprint(parts.plan.json, parts.records)
        own.errors.check()
        def kept =
          folder.kept(series.folder, fingerprint, digest).map(SeriesFields.done(_, fingerprint, digest, kept = true))
        val there = if (config.overwrite) None else kept
        there.getOrElse {
          val result = SeriesPlace.prepare(
            folder.of(series.folder),
            config.kind,
            s"$name ${series.folder}",
            sc.hadoopConfiguration
          )
          try {
            val leftOut = Json.read(parts.plan.json).path("skipped").asInt
            val section = Json.read(AllSeries.section(fingerprint, digest, leftOut, seconds()))
            val written = parts.write(result, Some(section))
            result.commit()
            val made = Json.mapper.createObjectNode
            made.put("root", written.root).put("left_out", leftOut).put("seconds", seconds())
            SeriesFields.done(made, fingerprint, digest, kept = false)
          } catch {
            case e: Throwable =>
              result.abort()
              e match {
                case _: TomoBasisException => kept.getOrElse(throw e) // another run may have made the same meanwhile
                case other => throw other
              }
          }
        }
      }
    } catch {
      case e: Throwable =>
        own.release()
        throw own.errors.cause(e)
    } finally {
      own.release()
      own.close()
    }
  }
}

/**
 * How a run over an archive ended.
 *
 * @param closing what the user is told
 * @param rows    of the index, as JSON
 */
final case class ArchiveEnd(closing: String, rows: String)

object EachSeries {
  private val Memory = "spark.tomobasis.archive.memory"

  /** Files of a task that reads headers. */
  private val LeastFiles = 64
  private val MostFiles = 4096

  /** Bytes outside the heap that tasks of one executor may take together. Throws UsageException. */
  def memory(conf: org.apache.spark.SparkConf): Long = conf.getOption(Memory).fold(Long.MaxValue) { value =>
    Try(JavaUtils.byteStringAsBytes(value)).getOrElse(
      throw new UsageException(s"$Memory: '$value' is not a size; write it as 4g or 500m")
    )
  }

  /** Places of the files that one task each reads: runs of the listing, and all files of a gzip stream. */
  private def groups(files: IndexedSeq[InputFile], cores: Int): IndexedSeq[IndexedSeq[Int]] = {
    val (streamed, direct) = files.indices.partition(files(_).streamed)
    val size = math.min(MostFiles, math.max(LeastFiles, direct.length / (4 * cores) + 1))
    direct.grouped(size).toIndexedSeq ++ streamed.groupBy(files(_).uri).values
  }
}

/** What has become of the series of an archive so far. Tasks' outcomes come from another thread than the one that asks. */
private final class ArchiveState(index: SeriesIndex, series: Seq[ArchivedSeries], failFast: Boolean) {
  private val weights = series.map(one => one.place -> one.bytes.max(1)).toMap
  private val began = System.nanoTime
  private val large = mutable.Buffer.empty[ArchivedSeries]
  private var ended = 0
  private var weight = 0L

  def id(series: ArchivedSeries): String = index.id(series.place)

  def take(one: ArchivedSeries, outcome: SeriesOutcome): Unit = synchronized {
    if (outcome.tooLarge) large += one
    else {
      index.update(one.place, Json.read(outcome.fields).asInstanceOf[ObjectNode])
      ended += 1
      weight += weights(one.place)
    }
  }

  def tooLarge: Seq[ArchivedSeries] = synchronized(large.toSeq)

  /** Whether a series failed that ends the run. */
  def stopped: Boolean = failFast && index.count("failed") > 0

  /** How far the run is, for the user. */
  def line: String = synchronized {
    val (total, left) = (weights.values.sum, weights.values.sum - weight)
    val seconds = (System.nanoTime - began) / 1e9
    val time =
      if (left == 0) f"$seconds%.1f s"
      else if (weight == 0) "starting"
      else f"${math.ceil(seconds * left / (total - left))}%.0f s left"
    f"[2/2] series    $ended%d/${series.length}%d series  $time"
  }
}

/** Writes the index and says how far a run is, every few seconds, until it is closed. */
private final class Ticker(write: () => Unit, say: () => Unit) extends AutoCloseable {
  private val clock = Executors.newSingleThreadScheduledExecutor { task =>
    val thread = new Thread(task, "tomobasis-archive")
    thread.setDaemon(true)
    thread
  }
  clock.scheduleWithFixedDelay(() => tick(), Ticker.Seconds, Ticker.Seconds, TimeUnit.SECONDS)

  private def tick(): Unit =
    try {
      say()
      write()
    } catch { case NonFatal(_) => () } // the last writing says what is wrong

  override def close(): Unit = {
    clock.shutdown()
    clock.awaitTermination(1, TimeUnit.MINUTES)
    ()
  }
}

private object Ticker {
  private val Seconds = 5L
}
