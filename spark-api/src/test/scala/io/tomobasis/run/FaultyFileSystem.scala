package io.tomobasis.run

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FSDataInputStream, FSError, FileStatus, Path, RawLocalFileSystem}
import org.apache.hadoop.fs.permission.FsPermission
import org.apache.hadoop.security.AccessControlException
import org.apache.spark.{SparkConf, TaskContext}

import java.io.{File, FilterOutputStream, IOException, OutputStream}
import java.net.URI
import java.util.concurrent.{ConcurrentHashMap, ConcurrentLinkedQueue}
import java.util.concurrent.atomic.AtomicInteger

import scala.jdk.CollectionConverters._

/**
 * The local disk under other names, with faults on request.
 *
 * `faulty://once/PATH`: in each task's partition, the first reading and the first writing fail. `faulty://gone/PATH`: no task
 * can read. `faulty://full/PATH`: there is room for a few bytes in a file. `faulty://fine/PATH`: nothing fails. Under each, files whose names begin
 * with "locked" may not be opened. `gs://any/PATH`: nothing fails, and the scheme is an object store's.
 * What is created or renamed is recorded.
 */
class FaultyFileSystem extends RawLocalFileSystem {
  private var name: URI = _

  override def initialize(uri: URI, conf: Configuration): Unit = {
    name = URI.create(s"${uri.getScheme}://${uri.getAuthority}")
    super.initialize(uri, conf)
  }
  override def getUri: URI = if (name == null) super.getUri else name // null while the superclass is constructed
  override def checkPath(path: Path): Unit = ()
  override def pathToFile(path: Path): File = new File(path.toUri.getPath)

  // The superclass's own status objects look for permissions under file: only.
  override def getFileStatus(path: Path): FileStatus = plain(super.getFileStatus(path))
  override def listStatus(path: Path): Array[FileStatus] = super.listStatus(path).map(plain)
  private def plain(s: FileStatus) =
    new FileStatus(s.getLen, s.isDirectory, s.getReplication, s.getBlockSize, s.getModificationTime, s.getPath)

  override def open(path: Path, bufferSize: Int): FSDataInputStream = {
    if (path.getName.startsWith("locked")) throw new AccessControlException("permission denied")
    failOnce("read")
    FaultyFileSystem.counted(super.open(path, bufferSize))
  }

  override def createOutputStreamWithMode(path: Path, append: Boolean, permission: FsPermission): OutputStream = {
    failOnce("write")
    FaultyFileSystem.done.add(path.getName)
    val out = super.createOutputStreamWithMode(path, append, permission)
    if (name.getAuthority == "full") new FullDisk(out) else out
  }

  override def rename(from: Path, to: Path): Boolean = {
    FaultyFileSystem.done.add(to.getName)
    super.rename(from, to)
  }

  private def failOnce(what: String): Unit = {
    val context = TaskContext.get()
    if (name.getAuthority == "gone" && what == "read" && context != null) throw new IOException("gone")
    if (name.getAuthority == "once" && context != null) {
      val first = FaultyFileSystem.failed.add(s"$what ${context.stageId()} ${context.partitionId()}")
      if (first) throw new IOException("a fault, once")
    }
  }
}

/** Fails as the stream of Hadoop's local disk does when the disk is full: with an Error around the system's words. */
private class FullDisk(out: OutputStream) extends FilterOutputStream(out) {
  override def write(bytes: Array[Byte], from: Int, count: Int): Unit =
    if (count > FaultyFileSystem.Room) throw FaultyFileSystem.noSpace() else out.write(bytes, from, count)
}

object FaultyFileSystem {
  val Room = 50

  /** FSError's constructor is Hadoop's own. */
  def noSpace(): FSError = {
    val made = classOf[FSError].getDeclaredConstructor(classOf[Throwable])
    made.setAccessible(true)
    made.newInstance(new IOException("No space left on device"))
  }

  private val failed = ConcurrentHashMap.newKeySet[String]
  private val done = new ConcurrentLinkedQueue[String]

  /** Forgets what happened, and returns it: names of files created or renamed to, in order. */
  def recorded(): Seq[String] = {
    val names = done.asScala.toSeq
    done.clear()
    failed.clear()
    names
  }

  def faults: Int = failed.size

  private val (opened, most) = (new AtomicInteger, new AtomicInteger)

  /** Files that are open now, and the most that were since this was asked last. */
  def open(): (Int, Int) = (opened.get, most.getAndSet(opened.get))

  private def counted(in: FSDataInputStream): FSDataInputStream = {
    val now = opened.incrementAndGet()
    most.accumulateAndGet(now, math.max(_, _))
    new FSDataInputStream(in) {
      override def close(): Unit = {
        opened.decrementAndGet()
        super.close()
      }
    }
  }

  /** Makes the schemes known to a job. */
  def in(conf: SparkConf): SparkConf =
    Seq("faulty", "gs").foldLeft(conf)((c, scheme) =>
      c.set(s"spark.hadoop.fs.$scheme.impl", classOf[FaultyFileSystem].getName)
    )

  def hadoop(): Configuration = {
    val conf = new Configuration
    Seq("faulty", "gs").foreach(scheme => conf.set(s"fs.$scheme.impl", classOf[FaultyFileSystem].getName))
    conf
  }
}
