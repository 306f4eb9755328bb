package io.tomobasis.job

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{
  ChecksumFileSystem,
  FSDataInputStream,
  FSError,
  FileAlreadyExistsException,
  FileSystem,
  ParentNotDirectoryException,
  Path
}
import org.apache.hadoop.fs.Options.OpenFileOptions.{FS_OPTION_OPENFILE_LENGTH, FS_OPTION_OPENFILE_READ_POLICY}
import org.apache.hadoop.security.AccessControlException
import org.apache.hadoop.util.functional.FutureIO

import java.io.{EOFException, FileNotFoundException, IOException}

import scala.util.{Try, Using}

import io.tomobasis.jni.{LocalFileException, LocalFiles}

/** Files, and parts of them, on any Hadoop file system; entries of archives are files too. */
object HadoopFiles {
  val LongestArray: Int = Int.MaxValue - 8

  /**
   * The file system of a path, without Hadoop's checksum files for local disks: they would double the number of files in a
   * result folder, and hide files of a scan that look like them.
   */
  def fileSystem(path: Path, conf: Configuration): FileSystem = path.getFileSystem(conf) match {
    case checked: ChecksumFileSystem => checked.getRawFileSystem
    case fs => fs
  }

  /** The first `count` bytes of a file of known length. */
  def read(file: InputFile, count: Int, conf: Configuration): Array[Byte] = read(file, 0, count, conf)

  /** Bytes of a file; fewer where a local file has fewer than its length says, as those of the system's own file systems do. */
  def available(file: InputFile, start: Long, count: Int, conf: Configuration): Array[Byte] =
    file.local.fold(read(file, start, count, conf))(LocalFiles.read(_, start, count))

  /** A length that an array can have. */
  def arrayLength(length: Long): Int =
    if (length <= LongestArray) length.toInt else throw new IOException("longer than an array can be")

  /** `count` bytes of a file of known length, from `start` on. */
  def read(file: InputFile, start: Long, count: Int, conf: Configuration): Array[Byte] = file.packed match {
    case Some(packed) => ArchiveFiles.read(file, packed, start, count, conf)
    case None if file.local.isDefined =>
      val bytes = LocalFiles.read(file.local.get, start, count)
      if (bytes.length < count) throw new EOFException
      bytes
    case None =>
      Using.resource(open(file.uri, file.length, "whole-file, sequential", conf)) { in =>
        val bytes = new Array[Byte](count)
        if (start == 0) in.readFully(bytes) else in.readFully(start, bytes)
        bytes
      }
  }

  /** Opens a file of known length; object stores are told it, which saves a request, and how it will be read. */
  def open(uri: String, length: Long, policy: String, conf: Configuration): FSDataInputStream = {
    val path = new Path(uri)
    val opening = fileSystem(path, conf)
      .openFile(path)
      .opt(FS_OPTION_OPENFILE_READ_POLICY, policy)
      .optLong(FS_OPTION_OPENFILE_LENGTH, length)
    FutureIO.awaitFuture(opening.build())
  }

  /** Why an operation failed, in words: messages of file systems name paths, and are not for the user. */
  def reason(e: IOException): String = ObjectStores.reason(e).getOrElse(kind(e))

  /** The same, where the store can be asked again for what it did not say. */
  def reason(fs: FileSystem, path: Path, e: IOException): String =
    ObjectStores.reason(fs, path, e).getOrElse(kind(e))

  /** Whether this user may not open a file that is there. Java says of local files only that they are not there. */
  def denied(file: InputFile, e: IOException, conf: Configuration): Boolean = e match {
    case many if tooManyOpen(many) => false
    case _: AccessControlException | _: java.nio.file.AccessDeniedException => true
    case _: FileNotFoundException =>
      val path = new Path(file.uri)
      Try(fileSystem(path, conf).exists(path)).getOrElse(false)
    case _ => false
  }

  /** An exception and what caused it, outermost first. */
  def causes(e: Throwable): Seq[Throwable] = Iterator.iterate(e)(_.getCause).takeWhile(_ != null).take(32).toSeq

  /** Whether these are the system's own words, alone or after a path. */
  private def says(e: IOException, words: String): Boolean =
    causes(e).flatMap(cause => Option(cause.getMessage)).exists(text => text == words || text.endsWith(s"($words)"))

  /** Whether the process or the machine opens no more files, which Java says as if this one were not there. */
  def tooManyOpen(e: IOException): Boolean =
    says(e, "Too many open files") || says(e, "Too many open files in system")

  private def kind(e: IOException): String = e match {
    case many if tooManyOpen(many) => "too many open files"
    case full if says(full, "No space left on device") => "the disk is full"
    case quota if says(quota, "Disk quota exceeded") => "the quota is used up"
    case quota if quota.getClass.getSimpleName.endsWith("QuotaExceededException") => "the quota is used up"
    case _: AccessControlException | _: java.nio.file.AccessDeniedException => "permission denied"
    case _: ParentNotDirectoryException | _: FileAlreadyExistsException => "a file is in the way"
    case _: FileNotFoundException => "not there, or not readable"
    case _: EOFException => "it ends early"
    case e: LocalFileException => e.getMessage
    case other => other.getClass.getSimpleName.stripSuffix("Exception")
  }
}

/**
 * A failure of a file system: an IOException, or the Error that Hadoop makes of one where a local disk's stream fails in the middle
 * (a full disk, a bad sector).
 */
object StoreFailure {
  def unapply(thrown: Throwable): Option[IOException] = thrown match {
    case e: IOException => Some(e)
    case e: FSError =>
      Some(e.getCause match {
        case cause: IOException => cause
        case _ => new IOException(e)
      })
    case _ => None
  }
}
