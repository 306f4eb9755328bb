package io.tomobasis.commit

import java.io.IOException
import java.nio.charset.StandardCharsets.UTF_8

import scala.collection.mutable
import scala.jdk.OptionConverters._
import scala.util.Random

import io.tomobasis.jni.{ResultKind, Results, TomoBasisException}

/**
 * A run of a schedule: its name, whether it overwrites, how often its driver is started anew, and whether only when it is dead, or
 * also when it is taken for dead.
 */
final case class SimulatedRun(name: String, overwrite: Boolean, retries: Int = 0, patient: Boolean = false)

/**
 * Drivers and tasks of several runs with one output, on one store. A task has two attempts, of which the driver waits for
 * the first; the other goes on when it likes. What is checked after every step, whoever is paused or dead:
 *
 *   - a folder with `_SUCCESS` holds every file of exactly one attempt
 *   - a finished result stays unless a run may overwrite, and then one stands, old or new (where folders are renamed: or is in its
 *     old-name, of which the next look makes it the output again)
 *   - a run that says that it is done had its result there
 *
 * @param old whether a finished result is there before
 */
final class CommitSimulator(seed: Long, kind: StoreKind, runs: Seq[SimulatedRun], old: Boolean, kills: Boolean) {
  import CommitSimulator._

  private val random = new Random(seed)
  private val schedule = new Schedule(random, kills)
  val store = new SimulatedStore(kind, random, schedule)
  private val stood = mutable.LinkedHashSet.empty[String] // attempts whose results were seen finished
  val outcomes = mutable.LinkedHashMap.empty[String, String]

  private def output = if (kind.renamesFolders) "out" else ""

  /** Plays it; the attempt whose result stands at the end. */
  def play(): Option[String] = {
    if (old) {
      store.files ++= (Parts ++ Seq("basis/part-9")).map(name => s"$base$name" -> content("old", name))
      store.files ++= Seq(
        s"$base${Commit.Manifest}" -> manifestOf("old", ""),
        s"$base${Commit.Success}" -> Array.emptyByteArray
      )
      check()
    }
    runs.foreach(start(_, 0))
    schedule.run(check())
    check()
    standing(store.now(output))
  }

  /** The attempt whose result stands once somebody has looked at the output again. */
  def afterNextLook(): Option[String] = {
    schedule.start("look#0")(outcomes("look") = drive(SimulatedRun("look", overwrite = false), "look#0"))
    schedule.run(check())
    standing(store.now(output))
  }

  private def base = if (output.isEmpty) "" else s"$output/"

  /** A driver's process, and another when it was killed. */
  private def start(run: SimulatedRun, attempt: Int): Unit = {
    var over = false
    val driver = schedule.start(s"${run.name}#$attempt") {
      outcomes(s"${run.name}#$attempt") = drive(run, s"${run.name}#$attempt")
      over = true
    }
    if (attempt < run.retries) {
      schedule.start(s"operator of ${run.name}#$attempt") {
        if (run.patient) schedule.waitFor(driver.ended)
        else for (_ <- 0 until random.nextInt(60)) schedule.step()
        if (!over) start(run, attempt + 1)
      }
      ()
    }
  }

  private def drive(run: SimulatedRun, process: String): String =
    try {
      val id = RunId(run.name, idOf(process))
      val commit =
        if (kind.renamesFolders) new CommitByRename(store, "out", id, run.overwrite, ResultKind.RESULT)
        else new CommitByManifest(store, id, run.overwrite, ResultKind.RESULT)
      if (commit.check()) Done
      else {
        try {
          commit.prepare()
          runTasks(commit, id.id)
          commit.parts.write(store, commit.folder, "weights.parquet", -1, content(id.id, "weights.parquet"))
          commit.commit(manifestOf(id.id, commit.folderInResult))
        } catch {
          case e @ (_: TomoBasisException | _: IOException) =>
            commit.abort()
            throw e
        }
        schedule.step()
        assert(stood.contains(id.id), s"$process says that it is done, and its result was never there")
        Done
      }
    } catch {
      case e: TomoBasisException => e.getMessage
      case e: IOException => s"failed: ${e.getMessage}"
    }

  private def runTasks(commit: Commit, id: String): Unit = {
    val done = mutable.Set.empty[String]
    var failed = Option.empty[Exception]
    for (part <- Parts if part != "weights.parquet"; attempt <- 0 to 1) schedule.start(s"$part of $id, $attempt") {
      try {
        commit.parts.write(store, commit.folder, part, attempt, content(id, part))
        done += part
      } catch { case e @ (_: TomoBasisException | _: IOException) => failed = Some(e.asInstanceOf[Exception]) }
    }
    schedule.waitFor(done.size == Parts.size - 1 || failed.nonEmpty)
    failed.foreach(throw _)
  }

  private def check(): Unit = {
    val seen = store.now(output)
    val complete = standing(seen)
    val moved = kind.renamesFolders && store.files.keys.exists(_.startsWith("out.old-"))
    assert(complete.nonEmpty || !seen.contains(Commit.Success), s"_SUCCESS without a complete result: ${seen.keys}")
    assert(stood.isEmpty || complete.nonEmpty || moved, "a finished result is gone")
    for (attempt <- complete) {
      def mayReplace =
        runs.exists(run => run.overwrite && attempt.startsWith(idOf(s"${run.name}#0").takeWhile(_ != '-')))
      def putBack = kind.renamesFolders && stood.contains(attempt) && runs.exists(_.overwrite)
      assert(
        stood.isEmpty || stood.last == attempt || mayReplace || putBack || moved,
        s"$attempt replaced ${stood.last} without being asked to"
      )
      stood -= attempt
      stood += attempt
    }
  }

  /** The attempt whose complete result, and nothing else's, a folder holds: as a reader sees it, by the manifest. */
  private def standing(seen: Map[String, String]): Option[String] =
    for {
      _ <- seen.get(Commit.Success)
      manifest <- seen.get(Commit.Manifest).map(_.getBytes(UTF_8))
      found <- Results.found(manifest, ResultKind.RESULT).toScala
      id = found.runId
      folder = if (found.runFolder.isEmpty) "" else s"${found.runFolder}/"
      if Parts.forall(part => seen.get(folder + part).contains(new String(content(id, part), UTF_8)))
      others = seen.filter { case (name, text) =>
        Parts.contains(name.stripPrefix(folder)) && !text.endsWith(s" of $id")
      }
      if folder.isEmpty || !others.exists(_._1.startsWith(folder))
    } yield id
}

object CommitSimulator {
  val Done = "done"

  /** The id of a process, which is its run's name, `#` and a number. */
  def idOf(process: String): String = f"${process.takeWhile(_ != '#').hashCode}%08x-${process.last.asDigit}%08x"

  val Parts = Seq("basis/part-0", "basis/part-1", "weights.parquet")

  private def content(id: String, name: String): Array[Byte] = s"$name of $id".getBytes(UTF_8)

  private def manifestOf(id: String, folder: String): Array[Byte] =
    s"""{"format": "tomobasis result 1", "run": {"id": "$id", "folder": "$folder"}}""".getBytes(UTF_8)
}
