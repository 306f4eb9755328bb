package io.tomobasis.io

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{ChecksumFileSystem, FSDataInputStream, FileSystem, Path, UnsupportedFileSystemException}
import org.apache.hadoop.fs.Options.OpenFileOptions.{FS_OPTION_OPENFILE_LENGTH, FS_OPTION_OPENFILE_READ_POLICY}
import org.apache.hadoop.util.functional.FutureIO

import java.io.IOException

/** Any Hadoop file system, as the job uses it. */
object HadoopFiles {
  private val LongestArray = Int.MaxValue - 8

  /** That there is none for a path, for the user. */
  val Unsupported: String = "Spark has no file system for this kind of URI; add its jar with --packages"

  /**
   * The file system of a path, without Hadoop's checksum files for local disks: they would double the number of files in a
   * result folder, and hide files of a scan that look like them.
   */
  def fileSystem(path: Path, conf: Configuration): FileSystem = found(path, conf) match {
    case checked: ChecksumFileSystem => checked.getRawFileSystem
    case fs => fs
  }

  /** Hadoop knows the names of some classes that are in jars of their own, as for s3a, and does not expect that these are not there. */
  private def found(path: Path, conf: Configuration): FileSystem =
    try path.getFileSystem(conf)
    catch {
      case e @ (_: RuntimeException | _: LinkageError) if Causes.of(e).exists(isAbsence) =>
        val absent = new UnsupportedFileSystemException(e.getMessage)
        absent.initCause(e)
        throw absent
    }

  private def isAbsence(e: Throwable): Boolean =
    e.isInstanceOf[ClassNotFoundException] || e.isInstanceOf[NoClassDefFoundError]

  /** A length that an array can have. */
  def arrayLength(length: Long): Int =
    if (length <= LongestArray) length.toInt else throw new IOException("longer than an array can be")

  /** Opens a file of known length; object stores are told it, which saves a request, and how it will be read. */
  def open(uri: String, length: Long, policy: String, conf: Configuration): FSDataInputStream = {
    val path = new Path(uri)
    // Texts only: optLong came later than the oldest Hadoop that there is.
    val opening = fileSystem(path, conf)
      .openFile(path)
      .opt(FS_OPTION_OPENFILE_READ_POLICY, policy)
      .opt(FS_OPTION_OPENFILE_LENGTH, length.toString)
    FutureIO.awaitFuture(opening.build())
  }
}
