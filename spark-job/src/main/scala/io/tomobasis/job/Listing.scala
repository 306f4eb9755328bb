package io.tomobasis.job

import com.fasterxml.jackson.databind.JsonNode
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, FileSystem, Path, RawLocalFileSystem, UnsupportedFileSystemException}
import org.apache.hadoop.util.functional.RemoteIterators

import java.io.{File, FileNotFoundException}
import java.nio.charset.StandardCharsets.UTF_8
import java.util.{Arrays, Comparator}

import scala.jdk.CollectionConverters._

import io.tomobasis.jni.{InputException, Inventory, LocalFiles, UsageException}

/**
 * Something under `--input`.
 *
 * @param uri    where Hadoop finds it, or the archive that it is in; of a local file, with its bytes in hexadecimal where needed
 * @param name   its path relative to the `--input` that it was found under; goes to native code, which shows a hash of it
 * @param length in bytes; -1 for what has none
 * @param packed where it is in an archive
 * @param local  its path for `LocalFiles`, for a plain file of the local file system
 * @param unread why it cannot be read, as native code says it
 */
final case class InputFile(
    uri: String,
    name: String,
    length: Long,
    packed: Option[Packed] = None,
    local: Option[String] = None,
    unread: Option[String] = None
) {

  /** Whether it can only be read by reading all that is before it: in a gzip stream. */
  def streamed: Boolean = packed.exists(_.packing == Packed.Gzip)

  /** Where it is, as a log may show it. */
  def shown: String = LocalFiles.printable(uri)

  /** Whether a part of it can be read without what is before. */
  def cutable: Boolean = packed.forall(p => p.packing == Packed.Tar || p.packing == Packed.ZipStored)
}

/**
 * All files under `--input`, in one order for the job and the command: by the order of the options, then by the bytes of the
 * path relative to its option. Every file is listed, whatever its name; what is no DICOM image is found out from its head. An
 * input that is an archive stands for the files in it. The local file system is listed and read by native code, as the command does: Java
 * drops files whose names are not in its character set, and waits for ever for a FIFO.
 */
object Listing {

  /** Throws UsageException or InputException when an input cannot be listed. */
  def list(inputs: Seq[String], conf: Configuration): IndexedSeq[InputFile] =
    inputs.toIndexedSeq.flatMap(list(_, conf))

  /** How messages name a file: its place in the listing and a hash; its path too when paths may be shown. */
  def label(file: InputFile, index: Int, count: Int, verbose: Boolean): String = {
    val label = Inventory.fileLabel(index, count, file.name)
    if (verbose) s"$label [${file.shown}]" else label
  }

  private def list(input: String, conf: Configuration): Seq[InputFile] = {
    val (fs, root) = locate(input, conf)
    if (fs.getClass == classOf[RawLocalFileSystem]) local(root) else remote(fs, root, conf)
  }

  private def local(root: Path): Seq[InputFile] = {
    def file(json: JsonNode): InputFile = {
      val (path, entry) = (json.get("path").asText, json.get("entry"))
      val (name, length, unread) = (json.get("name").asText, json.get("length").asLong(-1), ArchiveFiles.unread(json))
      if (entry.isNull) InputFile(s"file://$path", name, length, local = Some(path), unread = unread)
      else
        InputFile(
          root.toString,
          name,
          length,
          Some(Packed.parse(entry, new File(root.toUri.getPath).length)),
          None,
          unread
        )
    }
    Json.read(LocalFiles.list(root.toUri.getPath)).elements.asScala.map(file).toIndexedSeq
  }

  private def remote(fs: FileSystem, root: Path, conf: Configuration): Seq[InputFile] =
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
