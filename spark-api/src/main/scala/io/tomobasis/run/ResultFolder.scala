package io.tomobasis.run

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.CommonConfigurationKeysPublic.{SERVICE_SHUTDOWN_TIMEOUT, SERVICE_SHUTDOWN_TIMEOUT_DEFAULT}
import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.hadoop.util.ShutdownHookManager
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.util.SerializableConfiguration

import java.util.concurrent.TimeUnit

import io.tomobasis.commit.{Commit, CommitByManifest, CommitByRename, HadoopStore, RunId}
import io.tomobasis.io.{Faults, ObjectStores, StoreFailure}
import io.tomobasis.jni.Errors.Operation
import io.tomobasis.jni.{ResultKind, UsageException}

/**
 * The result folder, whole or not there: [[Commit]] on a Hadoop file system, its failures in words, and its removal when the process
 * is told to stop.
 *
 * Use: [[ResultFolder.check]] before any work, [[prepare]], [[forTasks]] and [[write]], then [[commit]] or [[abort]].
 *
 * @param runId          this attempt's name in the manifest and in names of files
 * @param finishedBefore whether an earlier attempt of this run got so far that nothing is left to do
 */
final class ResultFolder private (
    root: Path,
    store: HadoopStore,
    steps: Commit,
    cleanupSeconds: Long,
    val runId: String,
    val finishedBefore: Boolean
) {
  import ResultFolder.Output

  private val cleanup: Runnable = () => removeWork()
  @volatile private var manifest = Option.empty[Array[Byte]]
  // Folders above the output that are made for it: a run that fails leaves none of them empty.
  @volatile private var above = Seq.empty[Path]

  /** Where readers find the files, below the output; empty where beside the manifest. */
  def folder: String = steps.folderInResult

  /** Makes the folder to write into. Throws UsageException when that is not allowed, ComputationException where the system fails. */
  def prepare(): Unit = {
    // The time is given, since Hadoop would read its configuration files for each hook that has none.
    val priority = FileSystem.SHUTDOWN_HOOK_PRIORITY + 5
    ShutdownHookManager.get.addShutdownHook(cleanup, priority, cleanupSeconds, TimeUnit.SECONDS)
    try
      Faults.telling(Operation.MAKE_OUTPUT, Output) {
        above = store.missingFolders
        steps.prepare()
      }
    catch {
      case thrown: Throwable =>
        abort()
        throw thrown
    }
  }

  def forTasks(hadoop: Broadcast[SerializableConfiguration]): TaskFolder =
    TaskFolder(root.toString, steps.folder, steps.parts, hadoop)

  /** Writes a file; the manifest is kept until [[commit]]. */
  def write(name: String, bytes: Array[Byte]): Unit =
    if (name == Commit.Manifest) manifest = Some(bytes)
    else
      Faults.telling(Operation.WRITE_FILE, name)(
        steps.parts.write(steps.store, steps.folder, name, ResultFolder.DriversAttempt, bytes)
      )

  /** Makes it the result. */
  def commit(): Unit = {
    Faults.telling(Operation.WRITE_FILE, Commit.Manifest)(steps.commit(manifest.get))
    forgetCleanup()
  }

  /** Removes what was written. */
  def abort(): Unit = {
    forgetCleanup()
    removeWork()
  }

  private def forgetCleanup(): Unit =
    if (!ShutdownHookManager.get.isShutdownInProgress) ShutdownHookManager.get.removeShutdownHook(cleanup)

  private def removeWork(): Unit =
    try {
      steps.abort()
      store.removeEmpty(above)
    } catch { case StoreFailure(_) => () } // nothing better can be done about it here
}

object ResultFolder {
  private val DriversAttempt = -1L // tasks count theirs from 0

  private val Output = OutputPlace.Named

  /** Refuses an output that exists (unless it is a result to overwrite, or what this run left) or cannot be reached. */
  def check(
      output: String,
      overwrite: Boolean,
      run: String,
      conf: Configuration,
      kind: ResultKind = ResultKind.RESULT
  ): ResultFolder = check(output, overwrite, run, conf, kind, anyOther = true)

  /**
   * The same.
   *
   * @param anyOther whether a result that another run puts there meanwhile is replaced too, where that is to be overwritten
   */
  def check(
      output: String,
      overwrite: Boolean,
      run: String,
      conf: Configuration,
      kind: ResultKind,
      anyOther: Boolean
  ): ResultFolder =
    OutputPlace.telling {
      val OutputPlace(fs, target) = OutputPlace.of(output, conf)
      val attempt = RunId.attemptOf(run)
      val root = if (ObjectStores.is(fs)) target else parentOf(target)
      val store = new HadoopStore(fs, root)
      val steps =
        if (ObjectStores.is(fs)) new CommitByManifest(store, attempt, overwrite, kind)
        else new CommitByRename(store, target.getName, attempt, overwrite, kind, anyOther)
      val finished = Faults.telling(Operation.LOOK_AT_OUTPUT, Output, fs, target)(steps.check())
      val cleanupSeconds =
        conf.getTimeDuration(SERVICE_SHUTDOWN_TIMEOUT, SERVICE_SHUTDOWN_TIMEOUT_DEFAULT, TimeUnit.SECONDS)
      new ResultFolder(root, store, steps, cleanupSeconds.max(1), attempt.id, finished)
    }

  private def parentOf(target: Path): Path =
    Option(target.getParent).getOrElse(
      throw new UsageException("--output: a file system's top folder cannot be a result; name a folder below it")
    )
}
