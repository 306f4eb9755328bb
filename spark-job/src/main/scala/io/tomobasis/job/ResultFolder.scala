package io.tomobasis.job

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FSDataOutputStream, FSDataOutputStreamBuilder, FileSystem, Path}
import org.apache.hadoop.security.AccessControlException
import org.apache.hadoop.util.ShutdownHookManager
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.util.SerializableConfiguration

import java.io.IOException
import java.util.UUID

import io.tomobasis.kernels.{ComputationException, UsageException}

/**
 * The result folder, whole or not there.
 *
 * Where renaming is cheap and atomic, everything is written to a folder beside it, which takes its name at the end; an old result
 * is replaced only then. Object stores copy on rename, but show a file only once it is complete: there the files go to their
 * places at once. Either way `_SUCCESS` is the last file, and a run that fails, or is interrupted, removes what it wrote.
 *
 * Use: [[ResultFolder.check]] before any work, [[prepare]], [[forTasks]] and [[write]], then [[commit]] or [[abort]].
 */
final class ResultFolder private (fs: FileSystem, target: Path, overwrite: Boolean) {
  private val staged = !ResultFolder.ObjectStores.contains(fs.getUri.getScheme)
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
    if (!staged) fs.delete(target, true)
    begun = true
    TaskFolder(work.toString, staged, hadoop)
  }

  def write(name: String, bytes: Array[Byte]): Unit =
    ResultFolder.writeFile(fs, new Path(work, name), name, bytes, makeFolders = true)

  /** Gives the folder its name, then writes `_SUCCESS`. */
  def commit(): Unit = {
    if (staged) takeName()
    ResultFolder.writeFile(fs, new Path(target, "_SUCCESS"), "_SUCCESS", Array.emptyByteArray, makeFolders = false)
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
  private val ObjectStores = Set("s3", "s3a", "s3n", "gs", "wasb", "wasbs", "oss", "obs", "cosn")

  /** Refuses an output that exists (unless it is a result to overwrite) or cannot be reached; changes nothing. */
  def check(output: String, overwrite: Boolean, conf: Configuration): ResultFolder =
    try {
      val path = new Path(output)
      val fs = HadoopFiles.fileSystem(path, conf)
      val target = fs.makeQualified(path)
      if (fs.exists(target)) {
        if (!overwrite) throw existing()
        if (!replaceable(fs, target))
          throw new UsageException(
            "--output: it exists and is not a result folder, so --overwrite will not replace it; name another folder"
          )
      }
      new ResultFolder(fs, target, overwrite)
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
