package io.tomobasis.commit

import java.io.IOException
import java.nio.charset.StandardCharsets.UTF_8
import java.util.Arrays

import io.tomobasis.jni.ResultKind
import io.tomobasis.jni.Errors.Refusal

/**
 * Where a folder is renamed in one step (local disks, HDFS). The result is written into a folder beside the output,
 * `OUTPUT.tmp-ID`, with `_SUCCESS` as its last file, and takes its name by one rename, which fails where the name is taken.
 *
 * A folder in the making holds `_UNFINISHED`. Who takes the run over renames the folder away; its owner removes the mark just
 * before the rename. So an owner who was paused meanwhile finds no mark, or no folder to rename.
 *
 * A result to overwrite is renamed to `OUTPUT.old-ID` first, and removed once the new one has its name. A run that is killed
 * between the two renames leaves it there: whoever looks next gives it its name again. One that is killed after them leaves it too: the
 * next run that may overwrite removes it.
 *
 * @param store    the output's parent
 * @param name     the output
 * @param kind     what it is to be
 * @param anyOther whether a result that was not there at the beginning is replaced too
 */
final class CommitByRename(
    store: CommitStore,
    name: String,
    run: RunId,
    overwrite: Boolean,
    kind: ResultKind,
    anyOther: Boolean = true
) extends Commit(store, kind) {
  import Commit._
  import CommitByRename.Retries

  val folder: String = s"$name.tmp-${run.id}"
  val folderInResult: String = ""
  val parts: PartFiles = PartFiles.Renamed
  private val old = s"$name.old-${run.id}"
  @volatile private var seen = Option.empty[Array[Byte]]

  def check(): Boolean = {
    if (!exists) siblings("old-").filter(isReplaced).find(store.rename(_, name))
    seen = store.read(s"$name/$Manifest")
    if (exists) allowOverwriting()
    false
  }

  def prepare(): Unit = {
    for (prefix <- run.prefix; earlier <- siblings(s"tmp-$prefix")) discard(earlier)
    siblings("tmp-").filter(isPutAway).foreach(store.delete)
    if (overwrite) removeReplaced()
    store.put(s"$folder/$Unfinished", run.id.getBytes(UTF_8))
    store.put(s"$folder/${PartFiles.Attempts}/.keep", Array.emptyByteArray)
  }

  def commit(manifest: Array[Byte]): Unit = {
    discard(s"$folder/${PartFiles.Attempts}")
    store.put(s"$folder/$Manifest", manifest)
    store.put(s"$folder/$Success", Array.emptyByteArray)
    if (!store.delete(s"$folder/$Unfinished")) throw refusal(Refusal.OUTPUT_SUPERSEDED)
    if (!store.rename(folder, name)) replace(Retries)
  }

  private def replace(retries: Int): Unit = {
    if (discarded) throw refusal(Refusal.OUTPUT_SUPERSEDED)
    allowOverwriting()
    if (!mayGo(name)) throw refusal(Refusal.OUTPUT_OVERTAKEN)
    val moved = store.rename(name, old)
    if (moved && !mayGo(old)) { // another run has come between the look and the renaming
      if (!store.rename(old, name)) discard(old)
      throw refusal(Refusal.OUTPUT_OVERTAKEN)
    }
    if (store.rename(folder, name))
      try discard(old)
      catch { case _: IOException => () } // no part of the result
    else if (moved && retries > 0 && !discarded && store.list(old).isEmpty)
      replace(retries - 1) // who looked just then has given it its name again
    else {
      if (moved && !store.rename(old, name)) discard(old) // somebody else's result has the name
      throw refusal(if (discarded) Refusal.OUTPUT_SUPERSEDED else Refusal.OUTPUT_OVERTAKEN)
    }
  }

  /**
   * Removes results that runs put away and were killed before they removed them. Such a run may be alive, and the name not yet given to
   * its result: so it gets this run's old-name first, under which it is found like any other, and only goes if the name is taken.
   */
  private def removeReplaced(): Unit =
    for (replaced <- siblings("old-") if isReplaced(replaced) && store.rename(replaced, old))
      if (exists) discard(old)
      else store.rename(old, name)

  def abort(): Unit = {
    store.delete(folder)
    ()
  }

  /** First another name, which nobody writes to or takes for a result, then the removal, which is many steps. */
  private def discard(unwanted: String): Unit = {
    val away = s"$folder.${unwanted.split('/').last}"
    if (store.rename(unwanted, away)) store.delete(away)
    ()
  }

  /** Whether another attempt of this run has put its folder away. */
  private def discarded: Boolean = store.list(folder).isEmpty

  /** Whether the result in a folder may be replaced: any, or the one that was there at the beginning. */
  private def mayGo(folder: String): Boolean = anyOther || ((store.read(s"$folder/$Manifest"), seen) match {
    case (Some(there), Some(before)) => Arrays.equals(there, before)
    case (there, _) => there.isEmpty
  })

  private def exists: Boolean = store.list(name).isDefined

  /** Folders beside the output whose names are the output's and this. */
  private def siblings(kind: String): Seq[String] =
    store.list("").getOrElse(Nil).filter(_.startsWith(s"$name.$kind"))

  private def allowOverwriting(): Unit = {
    if (!overwrite) throw refusal(Refusal.OUTPUT_EXISTS)
    val names = store.list(name).getOrElse(Nil)
    resultIn(name) match {
      case Some(result) =>
        refuseOthers(others(name, result)(_ => true))
      case None if names.isEmpty => ()
      case None if store.list(name).contains(names) => throw refusal(Refusal.OUTPUT_FOREIGN)
      case None => allowOverwriting() // another run replaces it just now
    }
  }

  /** Whether it has a name that [[discard]] gives. */
  private def isPutAway(folder: String): Boolean = {
    val away = folder.stripPrefix(s"$name.tmp-").split("\\.", 2)
    away.head.matches(RunId.Pattern) && away.lift(1).exists { unwanted =>
      val id = unwanted.stripPrefix(s"$name.").stripPrefix("tmp-").stripPrefix("old-")
      unwanted == PartFiles.Attempts || (unwanted.startsWith(s"$name.") && id.matches(RunId.Pattern))
    }
  }

  /** Whether a folder is a result that a run put away to replace it, and not somebody's own. */
  private def isReplaced(folder: String): Boolean =
    folder.stripPrefix(s"$name.old-").matches(RunId.Pattern) &&
      store.read(s"$folder/$Success").isDefined && resultIn(folder).isDefined
}

object CommitByRename {

  /** How often a result is put away again that others have given its name back. */
  private val Retries = 5
}
