package io.tomobasis.job

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{
  ChecksumFileSystem,
  FileAlreadyExistsException,
  FileSystem,
  ParentNotDirectoryException,
  Path
}
import org.apache.hadoop.fs.Options.OpenFileOptions.{FS_OPTION_OPENFILE_LENGTH, FS_OPTION_OPENFILE_READ_POLICY}
import org.apache.hadoop.security.AccessControlException
import org.apache.hadoop.util.functional.FutureIO

import java.io.{EOFException, FileNotFoundException, IOException}

/** Whole-file access to any Hadoop file system. */
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

  /**
   * `count` bytes of a file of known length, from `start` on. Object stores are told the length and that it is read once, which
   * saves a request per file.
   */
  def read(file: InputFile, start: Long, count: Int, conf: Configuration): Array[Byte] = {
    val path = new Path(file.uri)
    val opening = fileSystem(path, conf)
      .openFile(path)
      .opt(FS_OPTION_OPENFILE_READ_POLICY, "whole-file, sequential")
      .optLong(FS_OPTION_OPENFILE_LENGTH, file.length)
    val in = FutureIO.awaitFuture(opening.build())
    try {
      val bytes = new Array[Byte](count)
      if (start == 0) in.readFully(bytes) else in.readFully(start, bytes)
      bytes
    } finally in.close()
  }

  /** Why an operation failed, in words: messages of file systems name paths, and are not for the user. */
  def reason(e: IOException): String = ObjectStores.reason(e).getOrElse(kind(e))

  /** The same, where the store can be asked again for what it did not say. */
  def reason(fs: FileSystem, path: Path, e: IOException): String =
    ObjectStores.reason(fs, path, e).getOrElse(kind(e))

  /** An exception and what caused it, outermost first. */
  def causes(e: Throwable): Seq[Throwable] = Iterator.iterate(e)(_.getCause).takeWhile(_ != null).take(32).toSeq

  private def kind(e: IOException): String = e match {
    case _: AccessControlException | _: java.nio.file.AccessDeniedException => "permission denied"
    case _: ParentNotDirectoryException | _: FileAlreadyExistsException => "a file is in the way"
    case _: FileNotFoundException => "not there, or not readable"
    case _: EOFException => "it ends early"
    case other => other.getClass.getSimpleName.stripSuffix("Exception")
  }
}
