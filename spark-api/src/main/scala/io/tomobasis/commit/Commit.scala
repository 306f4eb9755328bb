package io.tomobasis.commit

import scala.jdk.OptionConverters._

import io.tomobasis.jni.{Errors, FoundResult, ResultKind, Results, TomoBasisException}
import io.tomobasis.jni.Errors.Refusal

/**
 * The commit of one result by one attempt of a run: [[check]], [[prepare]], then files below [[folder]] (by [[PartFiles]] and
 * `store.put`), then [[commit]] or [[abort]].
 *
 * Whatever other runs do meanwhile, and wherever this one is paused or killed: a folder with `_SUCCESS` is the complete result of one
 * attempt; a finished result goes only for a run that was asked to overwrite, after the new one stands; and a run that says that
 * it is done had its result there.
 */
abstract class Commit(val store: CommitStore, kind: ResultKind) {

  /**
   * Refuses an output that exists, unless it may be overwritten, and finishes what a killed run had decided. Whether the result that
   * is there now is that of an earlier attempt of this run, so that nothing is left to do.
   */
  def check(): Boolean

  /** Takes the output over, as far as that can be undone. */
  def prepare(): Unit

  /** Where this attempt's files go, below the store's folder. */
  def folder: String

  /** Where readers find the files, below the result folder: goes into the manifest. */
  def folderInResult: String

  /** How tasks write into the folder. */
  def parts: PartFiles

  /** Makes all that was written, and this manifest, the result. */
  def commit(manifest: Array[Byte]): Unit

  /** Removes what this attempt wrote, unless it became the result. */
  def abort(): Unit

  /** The result in a folder of the store, if there is one. */
  protected def resultIn(folder: String): Option[FoundResult] =
    store.read(PartFiles.below(folder, Commit.Manifest)).flatMap(found)

  /** What a manifest says, where it is of this kind. */
  protected def found(manifest: Array[Byte]): Option[FoundResult] = Results.found(manifest, kind).toScala

  /** The error for an output that is refused. */
  protected def refusal(why: Refusal): TomoBasisException = Errors.of(why, kind)

  /** Refuses a result with others beside it. */
  protected def refuseOthers(count: Int): Unit = if (count > 0) throw Errors.outputHoldsOthers(kind, count)

  /** How many files or folders a result has beside it in its folder, of those at its top only the ones that `goes` takes, or in others of its. */
  protected def others(folder: String, result: FoundResult)(goes: String => Boolean): Int =
    result.others(result.folders.flatMap { inside =>
      val entries = store.entries(PartFiles.below(folder, inside)).getOrElse(Nil)
      val going = if (inside.isEmpty) entries.filter(entry => goes(entry.name)) else entries
      going.map(entry => PartFiles.below(inside, entry.marked))
    })
}

object Commit {
  private val names = Results.names

  val Manifest: String = names.manifest
  val Success: String = names.success
  val Unfinished: String = names.unfinished

  /** What a result folder may hold besides: names that `--overwrite` may remove. */
  val Contents: Set[String] = names.contents.toSet
}
