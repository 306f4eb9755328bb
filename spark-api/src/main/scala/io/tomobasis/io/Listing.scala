package io.tomobasis.io

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, FileSystem, Path, RawLocalFileSystem, UnsupportedFileSystemException}
import org.apache.hadoop.util.functional.RemoteIterators

import java.io.{File, FileNotFoundException}
import java.nio.charset.StandardCharsets.UTF_8
import java.util.{Arrays, Comparator}

import scala.jdk.CollectionConverters._

import io.tomobasis.jni.{Errors, Fault, LocalFile, LocalFiles, UsageException}
import io.tomobasis.jni.Errors.{Operation, Refusal}

/**
 * All files under `--input`, in one order for the job and the command: by the order of the options, then by the bytes of the
 * path relative to its option. Every file is listed, whatever its name; what is no DICOM image is found out from its first bytes. An
 * input that is an archive stands for the files in it. The local file system is listed and read by native code, as the command does: Java
 * drops files whose names are not in its character set, and waits for ever for a FIFO.
 */
object Listing {

  /**
   * Throws UsageException or InputException when an input cannot be listed.
   *
   * @param archives whether an archive stands for the files in it, else for itself
   */
  def list(inputs: Seq[String], conf: Configuration, archives: Boolean = true): IndexedSeq[InputFile] =
    inputs.toIndexedSeq.flatMap(list(_, conf, archives))

  private def list(input: String, conf: Configuration, archives: Boolean): Seq[InputFile] = {
    val (fs, root) = locate(input, conf)
    if (fs.getClass == classOf[RawLocalFileSystem]) local(root, archives) else remote(fs, root, conf, archives)
  }

  private def local(root: Path, archives: Boolean): Seq[InputFile] = {
    val path = root.toUri.getPath
    lazy val archiveLength = new File(path).length
    def input(file: LocalFile) = Option(file.entry) match {
      case None => InputFile(s"file://${file.path}", file.name, file.length, None, Some(file.path), Option(file.unread))
      case Some(entry) =>
        val packed = Some(Packed.of(entry, archiveLength))
        InputFile(root.toString, file.name, file.length, packed, None, Option(file.unread))
    }
    LocalFiles.list(path, archives).toIndexedSeq.map(input)
  }

  private def remote(fs: FileSystem, root: Path, conf: Configuration, archives: Boolean): Seq[InputFile] =
    Faults.telling(Operation.LIST_INPUT, "--input", fs, root) {
      try {
        val status = fs.getFileStatus(root)
        def input(file: FileStatus) =
          InputFile(file.getPath.toString, relative(status.getPath, file.getPath), file.getLen)
        def archive = if (archives) ArchiveFiles.list(input(status), conf) else None
        if (status.isFile) archive.getOrElse(Seq(input(status)))
        else below(fs, status.getPath).map(input).sorted(byNameBytes)
      } catch {
        case e: FileNotFoundException if Faults.of(e) == Fault.NOT_FOUND => throw Errors.of(Refusal.INPUT_ABSENT)
      }
    }

  /**
   * The files of a folder and of those in it. Object stores list whatever begins with a name at once. Other file systems are asked folder by
   * folder for no more than names and lengths: where a file's blocks are is not needed, and Hadoop's local ones would start a process
   * for each file to learn its permissions.
   */
  private def below(fs: FileSystem, folder: Path): IndexedSeq[FileStatus] =
    if (ObjectStores.is(fs)) RemoteIterators.toList(fs.listFiles(folder, true)).asScala.toIndexedSeq
    else {
      val found = RemoteIterators.toList(fs.listStatusIterator(folder)).asScala.toIndexedSeq
      found.flatMap(file => if (file.isFile) IndexedSeq(file) else below(fs, file.getPath))
    }

  private def locate(input: String, conf: Configuration): (FileSystem, Path) =
    Faults.telling(Operation.REACH_INPUT, "--input") {
      try {
        val path = new Path(input)
        val fs = HadoopFiles.fileSystem(path, conf)
        (fs, fs.makeQualified(path))
      } catch {
        case e: UnsupportedFileSystemException =>
          throw new UsageException(s"--input: ${HadoopFiles.Unsupported}", e)
        case e: IllegalArgumentException => throw new UsageException("--input: this is neither a path nor a URI", e)
      }
    }

  private def relative(root: Path, file: Path): String = {
    val (parent, child) = (root.toUri.getPath, file.toUri.getPath)
    if (child == parent) file.getName else child.stripPrefix(parent).stripPrefix("/")
  }

  private val byNameBytes: Ordering[InputFile] =
    Ordering.comparatorToOrdering(
      Comparator.comparing[InputFile, Array[Byte]](_.name.getBytes(UTF_8), (a, b) => Arrays.compareUnsigned(a, b))
    )
}
