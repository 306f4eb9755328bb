package io.tomobasis.run

import org.apache.spark.broadcast.Broadcast
import org.apache.spark.util.SerializableConfiguration

import scala.util.Using

import io.tomobasis.io.{InputFile, Listing}
import io.tomobasis.jni.Inventory
import io.tomobasis.matrix.{DecodedSlice, Runs, SeriesPlan, SliceReader, SourceFiles}

/**
 * What only pixels tell of series: which slices were sent again, whether copies are copies, which slices cannot be decoded. Tasks decode
 * the slices in question, and keep none.
 */
final class SeriesByPixels(
    run: SparkRun,
    config: JobConfig,
    hadoop: Broadcast[SerializableConfiguration],
    files: IndexedSeq[InputFile]
) {

  /** The series that is meant, once pixels have told which slices were sent again. */
  def decided(choice: Undecided): SeriesPlan =
    Using.resource(choice.inventory) { inventory =>
      know(inventory, choice.repeats)
      told(SeriesPlan.of(inventory.select()))
    }

  /** The series that the options name, else every one that there is. */
  def all(inventory: Inventory): Seq[SeriesPlan] = {
    learn(inventory)
    inventory.selectAll().toSeq.map(plan => withComparedCopies(told(SeriesPlan.of(plan))))
  }

  /** What only pixels tell of an input in which all series are meant. */
  def learn(inventory: Inventory): Unit = know(inventory, inventory.repeats().toSeq.map(SeriesPlan.of))

  /** The series once what seems to be a copy of a slice has proven to have its pixels. */
  def withComparedCopies(plan: SeriesPlan): SeriesPlan =
    plan.comparison.fold(plan) { comparison =>
      val found = digests(comparison).map(_.toNative).toArray
      val compared = SeriesPlan.of(Inventory.compared(plan.json, found, config.skipBadSlices))
      compared.notes.diff(plan.notes).foreach(run.progress.say)
      compared
    }

  /**
   * The series without the slices that cannot be decoded. Which they are must be known before the first row block is cut, so all
   * slices are decoded once more than otherwise: the price of `--on-bad-slice skip`.
   */
  def withoutBadSlices(plan: SeriesPlan): SeriesPlan = {
    val bad = digests(plan).filter(_.error.nonEmpty)
    for (slice <- bad) run.progress.say(s"skipped: ${slice.error}")
    if (bad.isEmpty) plan
    else SeriesPlan.of(Inventory.without(plan.json, bad.map(_.slice).toArray, bad.map(_.error).toArray))
  }

  private def know(inventory: Inventory, repeats: Seq[SeriesPlan]): Unit =
    for (plan <- repeats) inventory.know(plan.json, digests(plan).map(_.toNative).toArray)

  private def told(plan: SeriesPlan): SeriesPlan = {
    plan.said.foreach(run.progress.say)
    plan
  }

  /** What decoding gives of each slice of a plan, by tasks; one that is in the plan twice is decoded once. */
  private def digests(plan: SeriesPlan): Seq[DecodedSlice] = {
    val slices = plan.keys.indices.distinctBy(plan.keys)
    val parts = math.min(slices.length, plan.layout.decodePartitions(run.parallelism))
    val groups = SourceFiles.groups(plan, files, Runs(slices.length, parts), slices)
    val sources = SourceFiles(hadoop, files.length, verbose = false)
    val found =
      if (groups.isEmpty) Nil
      else run.tagged("digests of slices")(SliceReader.digests(run.workers, plan, groups, sources))
    val all = found.map(digest => plan.keys(digest.slice) -> digest).toMap
    plan.keys.zipWithIndex.map { case (key, slice) => all(key).copy(slice = slice) }
  }
}

object SeriesByPixels {

  /**
   * Lists the input, and plans the series that the options name, else every one that there is, by the headers of its files and, where
   * these do not tell, by pixels. Throws UsageException or InputException.
   */
  def plan(
      run: SparkRun,
      config: JobConfig,
      hadoop: Broadcast[SerializableConfiguration]
  ): (IndexedSeq[InputFile], Seq[SeriesPlan]) = {
    val files = Listing.list(config.inputs, hadoop.value.value)
    val inventory = run.progress.driver(config.stage(1, Vector(files.length))) { done =>
      SeriesScan.inventory(files, config, hadoop.value.value, done)
    }
    Using.resource(inventory) { inventory =>
      (files, new SeriesByPixels(run, config, hadoop, files).all(inventory))
    }
  }
}
