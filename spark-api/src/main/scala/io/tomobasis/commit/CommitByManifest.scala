package io.tomobasis.commit

import java.io.IOException
import java.nio.charset.StandardCharsets.UTF_8
import java.util.Arrays

import io.tomobasis.jni.{FoundResult, ResultKind}
import io.tomobasis.jni.Errors.Refusal

/**
 * Where folders are not renamed in one step (object stores), but files appear whole. The manifest is the result: it is created where
 * there is none, or replaces the one that was there at the beginning, in one conditional request, and says where the files are.
 *
 * Files are never replaced, so no two attempts may use the same names. The first run in an empty folder, which claims it by creating
 * `_UNFINISHED`, writes to the plain names. Every later one writes below `run-ID`. Plain names are not given out twice: not while
 * there is a manifest, which nobody removes, nor while there is a claim, and a claim that was taken from another attempt
 * goes only after a manifest is there.
 *
 * Claims keep others from starting, tell an owner that it was replaced, and list the attempts whose files are to be removed. That
 * one result wins is the manifest's doing alone.
 *
 * @param store the output
 * @param kind  what it is to be
 */
final class CommitByManifest(store: CommitStore, run: RunId, overwrite: Boolean, kind: ResultKind)
    extends Commit(store, kind) {
  import Commit._
  import CommitByManifest._

  val parts: PartFiles = PartFiles.Created
  @volatile private var place = s"run-${run.id}"
  @volatile private var old: Option[Array[Byte]] = None
  @volatile private var oldResult: Option[FoundResult] = None
  @volatile private var superseded: Seq[String] = Nil
  @volatile private var claimed, decided = false

  def folder: String = place
  def folderInResult: String = place

  def check(): Boolean = {
    old = store.read(Manifest)
    oldResult = old.flatMap(found)
    if (old.isDefined && oldResult.isEmpty) refuse(Refusal.OUTPUT_FOREIGN)
    val cutShort = old.isDefined && store.read(Success).isEmpty
    if (cutShort) store.put(Success, Array.emptyByteArray)
    val ours = cutShort && run.prefix.exists(prefix => oldResult.exists(_.runId.startsWith(prefix)))
    if (!ours) allow()
    ours
  }

  private def allow(): Unit = oldResult match {
    case Some(result) =>
      if (!overwrite) refuse(Refusal.OUTPUT_EXISTS)
      refuseOthers(others("", result)(Contents)) // what else is at the top stays
    case None =>
      store.read(Unfinished).map(Claim.parse) match {
        case Some(claim) => allow(claim)
        case None => if (entries.nonEmpty) refuse(Refusal.OUTPUT_FOREIGN)
      }
  }

  /** Throws the error for an output that this run may not have; without `--overwrite`, that it exists is enough. */
  private def refuse(why: Refusal): Nothing = throw refusal(if (overwrite) why else Refusal.OUTPUT_EXISTS)

  def prepare(): Unit = {
    val created = old.isEmpty && store.create(Unfinished, Claim(run.name, run.id, Nil).bytes)
    val claim = store.read(Unfinished).map(Claim.parse)
    // A request that was repeated, since its answer was lost, is refused because of itself.
    if (created || (old.isEmpty && claim.exists(_.id == run.id))) {
      if (entries == Seq(Unfinished)) place = ""
    } else {
      if (old.isEmpty) claim.foreach(allow)
      superseded = claim.toSeq.flatMap(_.attempts)
      store.put(Unfinished, Claim(run.name, run.id, superseded).bytes)
    }
    claimed = true
    if (old.isEmpty && store.read(Manifest).isDefined) yieldToOther()
  }

  def commit(manifest: Array[Byte]): Unit = {
    if (!ownsClaim) throw refusal(Refusal.OUTPUT_SUPERSEDED)
    decided = true // until the store says otherwise
    val done = old.fold(store.create(Manifest, manifest))(store.replace(Manifest, _, manifest))
    if (!done && !store.read(Manifest).exists(Arrays.equals(_, manifest))) {
      decided = false
      yieldToOther()
    }
    store.put(Success, Array.emptyByteArray)
    try {
      removeOld()
      removeClaim()
    } catch { case _: IOException => () } // nothing of it is part of the result
  }

  /** What another run has decided stands, also if it was killed before it could say so. */
  private def yieldToOther(): Nothing = {
    if (store.read(Success).isEmpty) store.put(Success, Array.emptyByteArray)
    throw refusal(Refusal.OUTPUT_OVERTAKEN)
  }

  def abort(): Unit = if (claimed && !decided) {
    removeOwn()
    if (superseded.isEmpty || store.read(Manifest).isDefined) removeClaim()
  }

  /** The files of the old result and of attempts that this one took over, none of which can be the result any more. */
  private def removeOld(): Unit = {
    // Where a manifest may still be replaced by a run that looked at the old one, that run's files have to stay.
    val attempts = if (store.replacesAtomically || old.isEmpty) superseded else Nil
    val folders = attempts.map(id => s"run-$id") ++ oldResult.map(_.runFolder).filter(_.nonEmpty)
    val gone = if (place.isEmpty) Set.empty[String] else Contents ++ folders
    entries.filter(gone).foreach(store.delete)
  }

  private def removeOwn(): Unit =
    (if (place.isEmpty) entries.filter(Contents) else Seq(place)).foreach(store.delete)

  private def removeClaim(): Unit = if (ownsClaim) {
    store.delete(Unfinished)
    ()
  }

  private def ownsClaim: Boolean = store.read(Unfinished).map(Claim.parse).exists(_.id == run.id)

  private def allow(claim: Claim): Unit =
    if (!overwrite && !run.isOfSameRun(claim.name)) throw refusal(Refusal.OUTPUT_UNFINISHED)

  private def entries: Seq[String] = store.list("").getOrElse(Nil)
}

object CommitByManifest {

  /** Whose turn it is: the run's name, this attempt, and the attempts that it took over, one a line. */
  private[commit] final case class Claim(name: String, id: String, before: Seq[String]) {
    def attempts: Seq[String] = (id +: before).filter(_.nonEmpty)
    def bytes: Array[Byte] = (name +: id +: before).mkString("", "\n", "\n").getBytes(UTF_8)
  }

  private[commit] object Claim {
    def parse(bytes: Array[Byte]): Claim = {
      val lines = new String(bytes, UTF_8).split('\n').toSeq
      Claim(lines.headOption.getOrElse(""), lines.lift(1).getOrElse(""), lines.drop(2))
    }
  }
}
