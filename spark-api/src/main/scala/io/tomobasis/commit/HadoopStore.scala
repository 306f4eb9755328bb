package io.tomobasis.commit

import org.apache.hadoop.fs.{
  EtagSource,
  FSDataOutputStream,
  FSDataOutputStreamBuilder,
  FileAlreadyExistsException,
  FileSystem,
  Options,
  ParentNotDirectoryException,
  Path,
  PathIOException,
  RawLocalFileSystem,
  StreamCapabilities
}
import org.apache.hadoop.fs.Options.CreateFileOptionKeys.{
  FS_OPTION_CREATE_CONDITIONAL_OVERWRITE => CreateIfAbsent,
  FS_OPTION_CREATE_CONDITIONAL_OVERWRITE_ETAG => ReplaceIfSame
}
import org.apache.hadoop.hdfs.DistributedFileSystem

import java.io.{FileNotFoundException, FileOutputStream, IOException}
import java.nio.file.{FileSystemException, Files, Path => File, StandardCopyOption}
import java.util.{Arrays, UUID}

import scala.util.Using
import scala.util.control.NonFatal

import io.tomobasis.io.ObjectStores

/**
 * A folder of any Hadoop file system.
 *
 * Where s3a's conditional requests are switched on, which they are unless a site says otherwise, `create` and `replace` are one
 * request each. Other object stores create a file atomically as they can, and replace one after looking at it.
 */
final class HadoopStore(fs: FileSystem, root: Path) extends CommitStore {
  import HadoopStore.ConditionFailed

  def read(name: String): Option[Array[Byte]] =
    try orNone(Using.resource(fs.open(at(name)))(_.readAllBytes))
    catch { case ConditionFailed() => read(name) } // s3a: it was replaced between two requests

  def create(name: String, bytes: Array[Byte]): Boolean = {
    val conditional = fs.hasPathCapability(root, CreateIfAbsent)
    // The condition takes the place of a check in advance.
    unlessRefused(write(name, bytes, recursive = true, overwrite = conditional) { creation =>
      if (conditional) { creation.must(CreateIfAbsent, true); () }
    })
  }

  def replacesAtomically: Boolean = fs.hasPathCapability(root, ReplaceIfSame)

  def replace(name: String, old: Array[Byte], bytes: Array[Byte]): Boolean = {
    val tag = orNone(fs.getFileStatus(at(name))).collect {
      case tagged: EtagSource if replacesAtomically => tagged.getEtag
    }
    read(name).exists(Arrays.equals(_, old)) && unlessRefused(write(name, bytes, recursive = true, overwrite = true) {
      creation =>
        tag.foreach(creation.must(ReplaceIfSame, _))
    })
  }

  def put(name: String, bytes: Array[Byte]): Unit = write(name, bytes, recursive = true, overwrite = true)()

  /** Makes or replaces a file so that readers see the old one or the new one, where the file system can. */
  def publish(name: String, bytes: Array[Byte]): Unit = {
    val made = s"$name.tmp-${UUID.randomUUID}"
    fs match {
      case _ if ObjectStores.is(fs) => put(name, bytes)
      case hdfs: DistributedFileSystem =>
        put(made, bytes)
        hdfs.rename(at(made), at(name), Options.Rename.OVERWRITE)
      case local: RawLocalFileSystem =>
        put(made, bytes)
        Files.move(file(local, made), file(local, name), StandardCopyOption.ATOMIC_MOVE)
        ()
      case _ => put(name, bytes)
    }
  }

  def putInto(name: String, bytes: Array[Byte]): Unit = write(name, bytes, recursive = false, overwrite = true)()

  def entries(folder: String): Option[Seq[CommitStore.Entry]] = orNone(
    fs.listStatus(at(folder)).toSeq.map(found => CommitStore.Entry(found.getPath.getName, found.isDirectory))
  )

  /** Of a local folder without a look at each of its files: the output of an archive has one for each series. */
  override def list(folder: String): Option[Seq[String]] = fs match {
    case local: RawLocalFileSystem =>
      Option(local.pathToFile(at(folder)).list()).map(_.toSeq).orElse(super.list(folder))
    case _ => super.list(folder)
  }

  def delete(name: String): Boolean = fs.delete(at(name), true)

  /** The folders that lead here, this one among them, and are not there; the innermost first. Object stores have none. */
  def missingFolders: Seq[Path] =
    if (ObjectStores.is(fs)) Nil
    else Iterator.iterate(root)(_.getParent).takeWhile(folder => folder != null && !fs.exists(folder)).toList

  /** Removes such folders as far as nothing is in them. */
  def removeEmpty(folders: Seq[Path]): Unit = {
    folders.find(folder => !removedEmpty(folder))
    ()
  }

  private def removedEmpty(folder: Path): Boolean =
    try
      fs match {
        case local: RawLocalFileSystem => Files.deleteIfExists(local.pathToFile(folder).toPath)
        case _ => fs.delete(folder, false)
      }
    catch { case _: IOException => false } // something is in it

  /**
   * Hadoop's rename onto a folder moves into it, and may copy on local disks; these do not. Elsewhere a folder that was
   * moved into another is taken out again.
   */
  def rename(from: String, to: String): Boolean = {
    val (source, target) = (at(from), at(to))
    if (!fs.exists(target.getParent) && fs.exists(source)) makeFolders(target.getParent)
    fs match {
      case hdfs: DistributedFileSystem => unlessRefused(hdfs.rename(source, target, Options.Rename.NONE))
      case local: RawLocalFileSystem => renameLocal(file(local, from), file(local, to))
      case _ =>
        val inside = new Path(target, source.getName)
        !fs.exists(target) && fs.rename(source, target) && !(fs.exists(inside) && fs.rename(inside, source))
    }
  }

  private def renameLocal(source: File, target: File): Boolean =
    try {
      Files.move(source, target, StandardCopyOption.ATOMIC_MOVE)
      true
    } catch {
      case e: FileSystemException =>
        if (Files.exists(target) || !Files.exists(source)) false else throw e
    }

  private def file(local: RawLocalFileSystem, name: String): File = local.pathToFile(at(name)).toPath

  private def at(name: String): Path = if (name.isEmpty) root else new Path(root, name)

  private def orNone[T](found: => T): Option[T] =
    try Some(found)
    catch { case _: FileNotFoundException => None }

  /** Whether it was done, and not refused because of what is there or no longer there. */
  private def unlessRefused(action: => Unit): Boolean =
    try {
      action
      true
    } catch {
      case _: FileAlreadyExistsException | _: FileNotFoundException | ConditionFailed() => false
    }

  /** Writes a file, all or nothing: what was only begun is given up, not closed, which would make it appear. */
  private def write(name: String, bytes: Array[Byte], recursive: Boolean, overwrite: Boolean)(
      options: HadoopStore.Creation => Unit = _ => ()
  ): Unit = disk match {
    case Some(local) => writeLocal(local.pathToFile(at(name)).toPath, bytes, recursive, overwrite)
    case None =>
      val creation: HadoopStore.Creation = fs.createFile(at(name))
      if (recursive) creation.recursive()
      creation.overwrite(overwrite)
      options(creation)
      val out = creation.build()
      try out.write(bytes)
      catch {
        case e: Throwable =>
          giveUp(out)
          throw e
      }
      out.close()
  }

  /**
   * The local file system, where it is Hadoop's own. Hadoop would start `chmod` for each file and folder that it makes, 13 for a small
   * result; here permissions are what the process's umask says, as those of the command.
   */
  private lazy val disk: Option[RawLocalFileSystem] = fs match {
    case local: RawLocalFileSystem if local.getClass == classOf[RawLocalFileSystem] => Some(local)
    case _ => None
  }

  private def writeLocal(file: File, bytes: Array[Byte], recursive: Boolean, overwrite: Boolean): Unit = {
    if (recursive) makeLocal(file.getParent)
    if (!overwrite && !file.toFile.createNewFile()) throw new FileAlreadyExistsException("there is such a file")
    Using.resource(new FileOutputStream(file.toFile))(_.write(bytes))
  }

  private def makeFolders(folder: Path): Unit = disk match {
    case Some(local) => makeLocal(local.pathToFile(folder).toPath)
    case None =>
      fs.mkdirs(folder)
      ()
  }

  /** Another task may make the same folder at any moment. */
  private def makeLocal(folder: File): Unit =
    if (!Files.isDirectory(folder)) {
      Option(folder.getParent).foreach(makeLocal)
      try Files.createDirectory(folder)
      catch {
        case _: java.nio.file.FileAlreadyExistsException =>
          if (!Files.isDirectory(folder)) throw new ParentNotDirectoryException("a file has the name of a folder")
      }
      ()
    }

  private def giveUp(out: FSDataOutputStream): Unit =
    try
      if (out.hasCapability(StreamCapabilities.ABORTABLE_STREAM)) { out.abort(); () }
      else if (!ObjectStores.is(fs)) out.close()
    catch { case NonFatal(_) => () } // the first failure is the one to tell
}

object HadoopStore {

  /** s3a's exception when a condition of a request does not hold; by its name, since s3a may not be here. */
  private object ConditionFailed {
    def unapply(e: PathIOException): Boolean = e.getClass.getSimpleName == "RemoteFileChangedException"
  }

  private type Creation = FSDataOutputStreamBuilder[_ <: FSDataOutputStream, _]
}
