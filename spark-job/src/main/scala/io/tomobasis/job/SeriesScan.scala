package io.tomobasis.job

import org.apache.hadoop.conf.Configuration

import java.io.IOException
import java.util.concurrent.{Callable, ExecutionException, Executors, Future}

import scala.util.Using

import io.tomobasis.kernels.{InputException, Inventory}

/**
 * Headers to series, on the driver. A pool of threads reads the heads of files ahead, since object stores answer slowly but
 * many at a time; this thread hands them to the inventory in the order of the listing, so that the first bad file is always
 * the one reported. A tar.gz is read from its start, by this thread.
 */
object SeriesScan {
  private val Threads = 16
  private val Ahead = 256
  private val HeadBytes = 32 << 10

  /** The plan of the chosen series (JSON). Throws InputException or UsageException. */
  def plan(files: IndexedSeq[InputFile], config: JobConfig, conf: Configuration, done: Int => Unit): String =
    Using.resource(new Inventory(config.json))(new SeriesScan(files, config, conf, _).plan(done))
}

private final class SeriesScan(
    files: IndexedSeq[InputFile],
    config: JobConfig,
    conf: Configuration,
    inventory: Inventory
) {
  import SeriesScan._

  def plan(done: Int => Unit): String = {
    val pool = Executors.newFixedThreadPool(Threads)
    try {
      val (streamed, direct) = files.indices.partition(files(_).streamed)
      for (window <- direct.grouped(Ahead)) {
        val heads = window.map(i => pool.submit((() => head(i, HeadBytes)): Callable[Array[Byte]]))
        for ((i, first) <- window.zip(heads)) {
          add(i, finished(first), head(i, _))
          done(1)
        }
      }
      for (ofArchive <- streamed.groupBy(files(_).uri).values)
        Using.resource(new TarGz(files(ofArchive.head), conf)) { archive =>
          for (i <- ofArchive.sortBy(files(_).packed.map(_.start))) {
            def head(bytes: Long) = read(i, bytes)(archive.head(files(i), _))
            add(i, head(HeadBytes), head)
            done(1)
          }
        }
      inventory.select()
    } finally pool.shutdownNow()
  }

  private def finished(head: Future[Array[Byte]]): Array[Byte] =
    try head.get
    catch { case e: ExecutionException => throw e.getCause }

  private def add(i: Int, first: => Array[Byte], head: Long => Array[Byte]): Unit =
    try {
      var bytes = first
      var needed = inventory.add(i, files(i).name, files(i).length, bytes)
      while (needed > bytes.length) {
        bytes = head(needed)
        needed = inventory.add(i, files(i).name, files(i).length, bytes)
      }
    } catch { case _: NotPermitted => inventory.addUnreadable(i, files(i).name) }

  private def head(i: Int, bytes: Long): Array[Byte] = read(i, bytes)(HadoopFiles.read(files(i), _, conf))

  private def read(i: Int, bytes: Long)(first: Int => Array[Byte]): Array[Byte] =
    try first(math.min(math.min(bytes, files(i).length), HadoopFiles.LongestArray).toInt)
    catch {
      case StoreFailure(e) if HadoopFiles.denied(files(i), e, conf) => throw new NotPermitted(e)
      case StoreFailure(e) => throw Unreadable(files(i), i, files.length, config.verbose, e)
    }
}

/** A file that this user may not open. */
private final class NotPermitted(cause: IOException) extends Exception(cause)

/** The error for a file that Hadoop could not read. Unlike other bad input, another try may find it well. */
private[job] final class Unreadable(text: String, cause: IOException) extends InputException(text, cause)

private[job] object Unreadable {

  /** The cause names the path, so it is kept only when paths may be shown. */
  def apply(file: InputFile, index: Int, count: Int, verbose: Boolean, cause: IOException): Unreadable = {
    val label = Listing.label(file, index, count, verbose)
    val text = s"$label: cannot be read (${HadoopFiles.reason(cause)}); check its permissions and its storage"
    new Unreadable(text, if (verbose) cause else null)
  }
}
