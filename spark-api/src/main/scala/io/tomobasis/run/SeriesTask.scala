package io.tomobasis.run

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import org.apache.hadoop.conf.Configuration
import org.apache.spark.{TaskContext, TaskKilledException}
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.util.SerializableConfiguration

import scala.annotation.tailrec
import scala.util.Using
import scala.util.control.NonFatal

import io.tomobasis.figures.{Counted, Figures}
import io.tomobasis.io.Unreadable
import io.tomobasis.jni.{
  AllSeries,
  InputException,
  NativeLibrary,
  ResultKind,
  SeriesInMemory,
  TomoBasisException,
  UsageException
}
import io.tomobasis.jni.AllSeries.Reservation
import io.tomobasis.matrix.{ArchivedSeries, SeriesOutcome, SliceSource, SourceFiles}

/**
 * The task that makes the result of one series of an archive: its files' bytes to native code, the run in this process, its files to
 * the output. What is wrong with the series is its outcome, and no failure of the task.
 *
 * @param options     of the run, as JSON
 * @param digest      of the options
 * @param kind        what the folder of a series is
 * @param output      with all results
 * @param overwrite   whether results that are there are made again
 * @param name        of the run, by which attempts of one task know each other's folders
 * @param runner      what the manifest says of Spark
 * @param memory      bytes outside the heap that tasks of one executor may take together
 * @param maxFailures attempts of a task
 * @param figures     where it counts what it does
 */
final case class SeriesTask(
    options: String,
    digest: String,
    kind: ResultKind,
    output: String,
    overwrite: Boolean,
    name: String,
    runner: String,
    memory: Long,
    maxFailures: Int,
    fileCount: Int,
    verbose: Boolean,
    hadoop: Broadcast[SerializableConfiguration],
    figures: Figures
) {

  def outcome(series: ArchivedSeries): SeriesOutcome = {
    val began = System.nanoTime
    def seconds = (System.nanoTime - began) / 1e9
    try {
      NativeLibrary.load()
      made(series)
    } catch {
      case e if isFinal(e) => SeriesOutcome(series.place, tooLarge = false, SeriesFields.failed(e, seconds).toString)
    }
  }

  private def made(series: ArchivedSeries): SeriesOutcome = {
    val threads = TaskContext.get().cpus()
    val plan = ArchivedSeries.unpack(series.plan)
    // On the heap one file at a time; outside of it all of them, and what the run needs.
    val bytes = AllSeries.memory(plan.json, options, threads) + series.bytes
    val tooLarge = series.files.exists(_._2.length > SeriesTask.LongestFile) || !reserved(bytes)
    if (tooLarge) SeriesOutcome(series.place, tooLarge = true, "{}")
    else
      try
        Using.resource(new SeriesInMemory(plan.json)) { held =>
          val outcome = run(series, held, threads)
          figures.add(Counted.Slices, plan.layout.slices.toLong)
          outcome
        }
      finally AllSeries.release(bytes)
  }

  private def run(series: ArchivedSeries, held: SeriesInMemory, threads: Int): SeriesOutcome = {
    val sources = series.files.toSeq.map { case (place, file) => SliceSource(0, place, file, None) }
    SourceFiles(hadoop, fileCount, verbose)
      .each(sources, whole = true) { (ofFile, bytes) =>
        held.add(ofFile.head.fileIndex, ofFile.head.file.name, bytes.head)
        figures.add(Counted.Bytes, bytes.head.length.toLong)
      }
      .foreach(identity)
    val place = new SeriesPlace(this, series.folder)
    val fields =
      try place.finish(Json.read(held.run(options, threads, place)))
      catch {
        case e: Throwable =>
          place.abort()
          throw e
      }
    figures.add(Counted.Series, 1)
    figures.noteMemory()
    SeriesOutcome(series.place, tooLarge = false, fields.toString)
  }

  /** Waits for memory that others have; false where so much is never free. */
  @tailrec
  private def reserved(bytes: Long): Boolean = AllSeries.reserve(bytes, memory) match {
    case Reservation.GRANTED => true
    case Reservation.NEVER => false
    case Reservation.LATER =>
      if (TaskContext.get().isInterrupted()) throw new TaskKilledException
      Thread.sleep(SeriesTask.PollMillis)
      reserved(bytes)
  }

  /** Whether another attempt would end alike, or there is none. */
  private def isFinal(e: Throwable): Boolean = {
    val task = TaskContext.get()
    e match {
      case _ if task.isInterrupted() => false
      case _: Unreadable => task.attemptNumber() + 1 >= maxFailures
      case _: InputException | _: UsageException => true
      case NonFatal(_) => task.attemptNumber() + 1 >= maxFailures
      case _ => false
    }
  }
}

object SeriesTask {
  private val PollMillis = 100L

  /** Bytes that an array can have. */
  private val LongestFile = Int.MaxValue - 8L
}

/** Where the result of a series goes: its folder in the output, by the commit of results. */
private final class SeriesPlace(task: SeriesTask, series: String) extends SeriesInMemory.Place {
  private val archive = ArchiveFolder.at(task.output, task.hadoop.value.value)
  private var folder = Option.empty[ResultFolder]

  override def begin(fingerprint: String): String =
    if (!task.overwrite && archive.kept(series, fingerprint, task.digest).isDefined) null
    else {
      val made =
        SeriesPlace.prepare(archive.of(series), task.kind, s"${task.name} $series", task.hadoop.value.value)
      folder = Some(made)
      val environment = Json.mapper.createObjectNode
      environment.put("runner", task.runner)
      environment.put("id", made.runId)
      if (made.folder.nonEmpty) environment.put("folder", made.folder)
      environment.put("java", System.getProperty("java.version"))
      environment.toString
    }

  override def write(path: String, bytes: Array[Byte]): Unit = folder.get.write(path, bytes)

  /** Commits the result, and tells the fields of its row. */
  def finish(outcome: JsonNode): ObjectNode = {
    val fingerprint = outcome.get("fingerprint").asText
    def kept =
      archive.kept(series, fingerprint, task.digest).map(SeriesFields.done(_, fingerprint, task.digest, kept = true))
    folder match {
      case None => kept.getOrElse(throw new IllegalStateException("a result that was there has gone"))
      case Some(made) =>
        try {
          made.commit()
          SeriesFields.done(outcome.get("made"), fingerprint, task.digest, kept = false)
        } catch { // another run may have made the same meanwhile
          case e: TomoBasisException =>
            made.abort()
            kept.getOrElse(throw e)
        }
    }
  }

  def abort(): Unit = folder.foreach(_.abort())
}

object SeriesPlace {

  /** Takes a series' folder over: what is there now may be replaced, and nothing else. */
  private[run] def prepare(output: String, kind: ResultKind, run: String, conf: Configuration): ResultFolder = {
    val folder = ResultFolder.check(output, overwrite = true, run, conf, kind, anyOther = false)
    folder.prepare()
    folder
  }
}

/** The fields of a row of the index. */
private[run] object SeriesFields {

  /** Of a result: `root`, `left_out` and `seconds` are those of `result`. */
  def done(result: JsonNode, fingerprint: String, options: String, kept: Boolean): ObjectNode = {
    val row = Json.mapper.createObjectNode
    row.put("state", "done").put("kept", kept).put("fingerprint", fingerprint).put("options", options)
    row.put("error", "").put("exit_code", 0)
    Seq("root", "left_out", "seconds").foreach(name => row.set[ObjectNode](name, result.get(name)))
    row
  }

  def failed(e: Throwable, seconds: Double): ObjectNode = {
    val row = Json.mapper.createObjectNode
    val (error, code) = TaskErrors.ours(e) match {
      case Some(ours) => (ours.getMessage, ours.exitCode)
      case None => (s"failed while running (${e.getClass.getName}); run again with --verbose for details", 1)
    }
    Seq("fingerprint", "options", "root").foreach(row.put(_, ""))
    row
      .put("state", "failed")
      .put("kept", false)
      .put("left_out", 0)
      .put("error", error.linesIterator.mkString(" "))
      .put("exit_code", code)
      .put("seconds", seconds)
  }
}
