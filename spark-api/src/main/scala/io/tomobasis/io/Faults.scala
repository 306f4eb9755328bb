package io.tomobasis.io

import org.apache.hadoop.fs.{FileAlreadyExistsException, FileSystem, ParentNotDirectoryException, Path}
import org.apache.hadoop.security.AccessControlException

import java.io.{EOFException, FileNotFoundException, IOException}

import io.tomobasis.jni.{Errors, Fault, LocalFileException, TomoBasisException}
import io.tomobasis.jni.Errors.Operation

/**
 * What exceptions of file systems tell. Recognizing them is ours, since native code has no exceptions of Hadoop; the message and
 * the exit code are native code's. Their own messages name paths, and are not for the user.
 */
object Faults {

  /** Why an operation failed. */
  def of(e: IOException): Fault = ObjectStores.fault(e).getOrElse(kind(e))

  /** The same, where the store can be asked again for what it did not say. */
  def of(fs: FileSystem, path: Path, e: IOException): Fault = ObjectStores.fault(fs, path, e).getOrElse(kind(e))

  /** A word for what is [[Fault.OTHER]]. */
  def word(e: IOException): String = e match {
    case e: LocalFileException => e.getMessage
    case other => other.getClass.getSimpleName.stripSuffix("Exception")
  }

  /** Runs an operation, whose failure becomes the error that says so. */
  def telling[T](operation: Operation, subject: String)(body: => T): T =
    try body
    catch { case StoreFailure(e) => throw Errors.of(operation, subject, of(e), word(e), e) }

  /** The same for what is at a path. */
  def telling[T](operation: Operation, subject: String, fs: FileSystem, path: Path)(body: => T): T =
    try body
    catch { case StoreFailure(e) => throw Errors.of(operation, subject, of(fs, path, e), word(e), e) }

  /** The error for a file of the input; the cause names its path, and is kept only where paths may be shown. */
  def unreadable(label: String, e: IOException, verbose: Boolean): TomoBasisException =
    Errors.of(Operation.READ_FILE, label, of(e), word(e), if (verbose) e else null)

  /** Whether a user may not do something, or has not the rights to know whether it is there. */
  def denied(e: IOException): Boolean = e match {
    case _: AccessControlException | _: java.nio.file.AccessDeniedException => true
    case _ => false
  }

  /** Whether these are the system's own words, alone or after a path. */
  private def says(e: IOException, words: String): Boolean =
    Causes.of(e).flatMap(cause => Option(cause.getMessage)).exists { text =>
      text == words || text.endsWith(s"($words)") || text.endsWith(s": $words")
    }

  // Java has the system's errors only as words in messages, and some as if the file were not there: so these come first.
  private def kind(e: IOException): Fault = e match {
    case many if says(many, "Too many open files") || says(many, "Too many open files in system") =>
      Fault.TOO_MANY_OPEN_FILES
    case full if says(full, "No space left on device") => Fault.DISK_FULL
    case quota if says(quota, "Disk quota exceeded") => Fault.QUOTA_EXCEEDED
    case quota if quota.getClass.getSimpleName.endsWith("QuotaExceededException") => Fault.QUOTA_EXCEEDED
    case refused if denied(refused) => Fault.PERMISSION_DENIED
    case _: ParentNotDirectoryException | _: FileAlreadyExistsException => Fault.FILE_IN_THE_WAY
    case _: FileNotFoundException => Fault.NOT_FOUND
    case _: EOFException => Fault.TRUNCATED
    case _ => Fault.OTHER
  }
}
