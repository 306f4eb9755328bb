package io.tomobasis.job

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, FileSystem, Path, UnsupportedFileSystemException}
import org.apache.hadoop.util.functional.RemoteIterators

import java.io.FileNotFoundException
import java.nio.charset.StandardCharsets.UTF_8
import java.util.{Arrays, Comparator}

import scala.jdk.CollectionConverters._

import io.tomobasis.kernels.{InputException, Inventory, UsageException}

/**
 * A file of the input.
 *
 * @param uri    where Hadoop finds it, or the archive that it is in
 * @param name   its path relative to the `--input` that it was found under; goes to native code, which shows a hash of it
 * @param length in bytes
 * @param packed where it is in an archive
 */
final case class InputFile(uri: String, name: String, length: Long, packed: Option[Packed] = None) {

  /** Whether it can only be read by reading all that is before it: in a tar.gz. */
  def streamed: Boolean = packed.exists(_.packing == Packed.TarGz)

  /** Whether a part of it can be read without what is before. */
  def cutable: Boolean = packed.forall(p => p.packing == Packed.Tar || p.packing == Packed.ZipStored)
}

/**
 * All files under `--input`, in one order for the job and the command: by the order of the options, then by the bytes of the
 * path relative to its option. Every file is listed, whatever its name; what is no DICOM image is found out from its head. An
 * input that is an archive stands for the files in it.
 */
object Listing {

  /** Throws UsageException or InputException when an input cannot be listed. */
  def list(inputs: Seq[String], conf: Configuration): IndexedSeq[InputFile] =
    inputs.toIndexedSeq.flatMap(list(_, conf))

  /** How messages name a file: its place in the listing and a hash; its path too when paths may be shown. */
  def label(file: InputFile, index: Int, count: Int, verbose: Boolean): String = {
    val label = Inventory.fileLabel(index, count, file.name)
    if (verbose) s"$label [${file.uri}]" else label
  }

  private def list(input: String, conf: Configuration): Seq[InputFile] = {
    val (fs, root) = locate(input, conf)
    try {
      val status = fs.getFileStatus(root)
      def input(file: FileStatus) =
        InputFile(file.getPath.toString, relative(status.getPath, file.getPath), file.getLen)
      if (status.isFile) ArchiveFiles.list(input(status), conf).getOrElse(Seq(input(status)))
      else RemoteIterators.toList(fs.listFiles(status.getPath, true)).asScala.toSeq.map(input).sorted(byNameBytes)
    } catch {
      case _: FileNotFoundException =>
        throw new InputException("--input: there is no such folder or file; check the path")
      case StoreFailure(e) =>
        throw new InputException(
          s"--input: it cannot be listed (${HadoopFiles.reason(fs, root, e)}); check its permissions",
          e
        )
    }
  }

  private def locate(input: String, conf: Configuration): (FileSystem, Path) =
    try {
      val path = new Path(input)
      val fs = HadoopFiles.fileSystem(path, conf)
      (fs, fs.makeQualified(path))
    } catch {
      case e: UnsupportedFileSystemException =>
        throw new UsageException(
          "--input: Spark has no file system for this kind of URI; add its jar with --packages",
          e
        )
      case e: IllegalArgumentException => throw new UsageException("--input: this is neither a path nor a URI", e)
      case StoreFailure(e) =>
        throw new InputException(s"--input: its file system cannot be reached (${HadoopFiles.reason(e)})", e)
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
