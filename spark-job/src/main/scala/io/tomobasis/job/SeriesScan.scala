package io.tomobasis.job

import org.apache.hadoop.conf.Configuration

import java.io.IOException
import java.util.concurrent.{Callable, ExecutionException, Executors}

import scala.util.Using

import io.tomobasis.kernels.{InputException, Inventory}

/**
 * Headers to series, on the driver. A pool of threads reads the heads of files ahead, since object stores answer slowly but
 * many at a time; this thread hands them to the inventory in the order of the listing, so that the first bad file is always
 * the one reported.
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
      for (window <- files.indices.grouped(Ahead)) {
        val heads = window.map(i => pool.submit((() => head(i, HeadBytes)): Callable[Array[Byte]]))
        for ((i, head) <- window.zip(heads)) {
          add(i, head.get)
          done(1)
        }
      }
      inventory.select()
    } catch {
      case e: ExecutionException => throw e.getCause
    } finally pool.shutdownNow()
  }

  private def add(i: Int, first: Array[Byte]): Unit = {
    var bytes = first
    var needed = inventory.add(i, files(i).name, files(i).length, bytes)
    while (needed > bytes.length) {
      bytes = head(i, needed)
      needed = inventory.add(i, files(i).name, files(i).length, bytes)
    }
  }

  private def head(i: Int, bytes: Long): Array[Byte] = {
    val file = files(i)
    try HadoopFiles.read(file, math.min(math.min(bytes, file.length), HadoopFiles.LongestArray).toInt, conf)
    catch { case e: IOException => throw Unreadable(file, i, files.length, config.verbose, e) }
  }
}

/** The error for a file that Hadoop could not read. Its cause names the path, so it is kept only when paths may be shown. */
private[job] object Unreadable {
  def apply(file: InputFile, index: Int, count: Int, verbose: Boolean, cause: IOException): InputException = {
    val label = Listing.label(file, index, count, verbose)
    val text = s"$label: cannot be read (${HadoopFiles.reason(cause)}); check its permissions and its storage"
    if (verbose) new InputException(text, cause) else new InputException(text)
  }
}
