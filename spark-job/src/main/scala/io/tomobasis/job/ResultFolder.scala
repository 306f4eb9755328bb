package io.tomobasis.job

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FSDataOutputStream, FSDataOutputStreamBuilder, FileSystem, Path}
import org.apache.hadoop.security.AccessControlException
import org.apache.hadoop.util.ShutdownHookManager
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.util.SerializableConfiguration

import java.io.IOException
import java.nio.charset.StandardCharsets.UTF_8
import java.util.UUID

import io.tomobasis.kernels.{ComputationException, UsageException}

/**
 * The result folder, whole or not there.
 *
 * Where renaming is cheap and atomic, everything is written to a folder beside it, which takes its name at the end; an old result
 * is replaced only then. Object stores copy on rename, but show a file only once it is complete: there the files go to their
 * places at once. Either way `_SUCCESS` is the last file, and a run that fails, or is interrupted, removes what it wrote.
 *
 * A run that is killed cannot. On an object store it leaves `_UNFINISHED`, with the name of the run in it (`spark.tomobasis.run`, which
 * `tomobasis-submit --kubernetes` sets): a retry of the same run begins again there, others are told.
 *
 * Use: [[ResultFolder.check]] before any work, [[prepare]], [[forTasks]] and [[write]], then [[commit]] or [[abort]].
 */
final class ResultFolder private (fs: FileSystem, target: Path, overwrite: Boolean, run: String) {
  private val staged = !ObjectStores.is(fs)
  private val sibling = UUID.randomUUID.toString.take(8)
  private val work = if (staged) target.suffix(s".tmp-$sibling") else target
  private val cleanup: Runnable = () => removeWork()
  @volatile private var begun = false

  /** Makes the folder to write into. Throws UsageException when that is not allowed. */
  def prepare(): Unit = {
    ShutdownHookManager.get.addShutdownHook(cleanup, FileSystem.SHUTDOWN_HOOK_PRIORITY + 5)
    try
      if (staged && !fs.mkdirs(new Path(work, TaskFolder.Attempts))) throw new AccessControlException
    catch {
      case e: IOException =>
        abort()
        throw new UsageException(
          s"--output: cannot write there (${HadoopFiles.reason(e)}); name a folder that you may write to",
          e
        )
    }
  }

  /** Begins to write: the folder for the tasks of a job. On an object store, an old result ends here. */
  def forTasks(hadoop: Broadcast[SerializableConfiguration]): TaskFolder = {
    begun = true
    if (!staged) {
      fs.delete(target, true)
      write(ResultFolder.Unfinished, run.getBytes(UTF_8))
    }
    TaskFolder(work.toString, staged, hadoop)
  }

  def write(name: String, bytes: Array[Byte]): Unit =
    ResultFolder.writeFile(fs, new Path(work, name), name, bytes, makeFolders = true)

  /** Gives the folder its name, then writes `_SUCCESS`. */
  def commit(): Unit = {
    if (staged) takeName()
    ResultFolder.writeFile(fs, new Path(target, "_SUCCESS"), "_SUCCESS", Array.emptyByteArray, makeFolders = false)
    if (!staged) remove(new Path(target, ResultFolder.Unfinished))
    forgetCleanup()
  }

  /** Removes what was written. */
  def abort(): Unit = {
    forgetCleanup()
    removeWork()
  }

  private def forgetCleanup(): Unit =
    if (!ShutdownHookManager.get.isShutdownInProgress) ShutdownHookManager.get.removeShutdownHook(cleanup)

  private def removeWork(): Unit = if (staged || begun) remove(work)

  private def takeName(): Unit = {
    val old = target.suffix(s".old-$sibling")
    remove(new Path(work, TaskFolder.Attempts))
    val replaces = fs.exists(target)
    if (replaces) {
      if (!overwrite) throw ResultFolder.existing()
      rename(target, old)
    }
    try rename(work, target)
    catch {
      case e: Exception =>
        if (replaces) rename(old, target)
        throw e
    }
    if (replaces) remove(old)
  }

  private def rename(from: Path, to: Path): Unit =
    if (!fs.rename(from, to))
      throw new ComputationException(
        "--output: the result cannot be given its name; check the permissions of its folder"
      )

  private def remove(path: Path): Unit =
    try { fs.delete(path, true); () }
    catch { case _: IOException => () } // nothing better can be done about it here
}

object ResultFolder {
  private val Unfinished = "_UNFINISHED"

  /**
   * Refuses an output that exists (unless it is a result to overwrite, or what an earlier try of this run left) or cannot be
   * reached; changes nothing.
   */
  def check(output: String, overwrite: Boolean, run: String, conf: Configuration): ResultFolder =
    try {
      val path = new Path(output)
      val fs = HadoopFiles.fileSystem(path, conf)
      val target = fs.makeQualified(path)
      if (exists(fs, target)) {
        val unfinished = unfinishedRun(fs, target)
        if (!overwrite && !unfinished.exists(left => run.nonEmpty && left == run))
          throw unfinished.fold(existing())(_ => abandoned())
        if (unfinished.isEmpty && !replaceable(fs, target))
          throw new UsageException(
            "--output: it exists and is not a result folder, so --overwrite will not replace it; name another folder"
          )
      }
      new ResultFolder(fs, target, overwrite, run)
    } catch {
      case e: IllegalArgumentException => throw new UsageException("--output: this is neither a path nor a URI", e)
      case e: IOException =>
        throw new UsageException(
          s"--output: its file system cannot be used (${HadoopFiles.reason(e)}); check the URI",
          e
        )
    }

  /** Whether `--overwrite` may remove what is there: an empty folder, or a result of ours. */
  private def replaceable(fs: FileSystem, target: Path): Boolean =
    fs.getFileStatus(target).isDirectory &&
      (fs.listStatus(target).isEmpty || fs.exists(new Path(target, "manifest.json")))

  private def exists(fs: FileSystem, target: Path): Boolean =
    try fs.exists(target)
    catch {
      case e: IOException =>
        throw new UsageException(
          s"--output: it cannot be looked at (${HadoopFiles.reason(fs, target, e)}); check the URI and the permissions",
          e
        )
    }

  /** The name of the run that left the folder unfinished, if one did. */
  private def unfinishedRun(fs: FileSystem, target: Path): Option[String] = {
    val marker = new Path(target, Unfinished)
    if (ObjectStores.is(fs) && fs.exists(marker)) {
      val in = fs.open(marker)
      try Some(new String(in.readAllBytes, UTF_8))
      finally in.close()
    } else None
  }

  private def abandoned() =
    new UsageException(
      "--output: an unfinished result is there (its run was killed, or is under way); name another folder or add --overwrite"
    )

  private def existing() =
    new UsageException("--output: it exists already; name another folder or add --overwrite")

  /**
   * Writes a file, replacing one of that name. `makeFolders = false` is for tasks: one that outlives its run must not bring a
   * removed folder back.
   */
  private[job] def writeFile(fs: FileSystem, path: Path, name: String, bytes: Array[Byte], makeFolders: Boolean): Unit =
    try {
      val creation: FSDataOutputStreamBuilder[_ <: FSDataOutputStream, _] = fs.createFile(path)
      creation.overwrite(true)
      if (makeFolders) creation.recursive()
      val out = creation.build()
      try out.write(bytes)
      finally out.close()
    } catch {
      case e: IOException =>
        throw new ComputationException(
          s"$name: cannot be written (${HadoopFiles.reason(e)}); check the free space and the permissions",
          e
        )
    }
}
