package io.tomobasis.run

import org.apache.hadoop.conf.Configuration

import java.io.IOException
import java.util.concurrent.{Callable, ExecutionException, Executors, Future}

import scala.util.Using

import io.tomobasis.io.{DamagedFile, Faults, GzipStream, InputFile, InputFiles, StoreFailure, Unreadable}
import io.tomobasis.jni.{Archive, Inventory, LocalFileException, TomoBasisException}

/**
 * Headers to series, on the driver or, of some of an archive's files, in a task. A pool of threads reads the first bytes of files ahead, since object stores answer slowly but
 * many at a time; this thread hands them to the inventory in the order of the listing, so that the first bad file is always
 * the one reported. A gzip stream is read from its start, by this thread. What cannot be read is added with the reason.
 */
object SeriesScan {
  private val Threads = 16
  private val Ahead = 256
  private val HeadBytes = 32 << 10

  /** What the headers of all files say, to be closed by the caller. Throws InputException. */
  def inventory(files: IndexedSeq[InputFile], config: JobConfig, conf: Configuration, done: Int => Unit): Inventory = {
    val inventory = new Inventory(config.json)
    try {
      new SeriesScan(files.indices, files, files.length, config.verbose, conf, inventory).run(done)
      inventory
    } catch {
      case e: Throwable =>
        inventory.close()
        throw e
    }
  }

  /**
   * What the headers of some files of a listing say, for `Inventory.merge`.
   *
   * @param files   with their places in the listing
   * @param count   of files in the listing
   * @param options as JSON
   */
  def part(
      files: Seq[(Int, InputFile)],
      count: Int,
      options: String,
      verbose: Boolean,
      conf: Configuration
  ): Array[Byte] =
    Using.resource(new Inventory(options)) { inventory =>
      val byPlace = files.toMap
      new SeriesScan(files.map(_._1).toIndexedSeq, byPlace, count, verbose, conf, inventory).run(_ => ())
      inventory.toBytes
    }
}

private final class SeriesScan(
    places: IndexedSeq[Int],
    files: Int => InputFile,
    count: Int,
    verbose: Boolean,
    conf: Configuration,
    inventory: Inventory
) {
  import SeriesScan._

  def run(done: Int => Unit): Unit = {
    val pool = Executors.newFixedThreadPool(Threads)
    try {
      val (readable, unread) = places.partition(files(_).unread.isEmpty)
      for (i <- unread) {
        files(i).unread.foreach(inventory.addUnread(i, files(i).name, files(i).length, _))
        done(1)
      }
      val (streamed, direct) = readable.partition(files(_).streamed)
      for (window <- direct.grouped(Ahead)) {
        val heads = window.map(i => pool.submit((() => head(i)): Callable[Either[IOException, Array[Byte]]]))
        for ((i, head) <- window.zip(heads)) {
          finished(head) match {
            case Right(bytes) => add(i, bytes, InputFiles.available(files(i), _, _, conf))
            case Left(_: DamagedFile) =>
              inventory.addUnread(i, files(i).name, files(i).length, Archive.damagedKind())
            case Left(e) => inventory.addUnopened(i, files(i).name, files(i).length, Faults.of(e), Faults.word(e))
          }
          done(1)
        }
      }
      for (ofArchive <- streamed.groupBy(files(_).uri).values)
        Using.resource(new GzipStream(files(ofArchive.head), conf)) { archive =>
          for (same <- GzipStream.ordered(ofArchive)(files)) {
            val whole = wholeIfShared(archive, same)
            for (i <- same) {
              def part(start: Long, count: Int) =
                whole.fold(archive.read(files(i), start, count))(_.slice(start.toInt, start.toInt + count))
              add(i, reading(i)(part(0, headBytes(i))), part)
              done(1)
            }
          }
        }
    } finally pool.shutdownNow()
  }

  private def finished[T](head: Future[T]): T =
    try head.get
    catch { case e: ExecutionException => throw e.getCause }

  /** Links of a stream to one file: the stream passes it once. */
  private def wholeIfShared(archive: GzipStream, same: Seq[Int]): Option[Array[Byte]] =
    Option.when(same.length > 1)(reading(same.head)(archive.whole(files(same.head))))

  /** Adds a file of which `part` reads more. A file that gives fewer bytes than its length says ends where they do. */
  private def add(i: Int, head: Array[Byte], part: (Long, Int) => Array[Byte]): Unit = {
    val length = if (head.length < headBytes(i)) head.length.toLong else files(i).length
    reading(i) {
      inventory.read(
        i,
        files(i).name,
        length,
        head,
        (position, buffer, count) => {
          val bytes = part(position, count)
          System.arraycopy(bytes, 0, buffer, 0, bytes.length)
          bytes.length
        }
      )
    }
  }

  /** The first bytes of a file, or why that one cannot be read. */
  private def head(i: Int): Either[IOException, Array[Byte]] =
    try Right(InputFiles.available(files(i), 0, headBytes(i), conf))
    catch {
      case e: LocalFileException => Left(e)
      case e: DamagedFile => Left(e)
      case StoreFailure(e) if files(i).packed.isEmpty && InputFiles.denied(files(i), e, conf) => Left(e)
      case StoreFailure(e) => throw unreadable(i, e)
    }

  private def headBytes(i: Int): Int = math.min(HeadBytes.toLong, files(i).length).toInt

  private def reading[T](i: Int)(read: => T): T =
    try read
    catch { case StoreFailure(e) => throw unreadable(i, e) }

  private def unreadable(i: Int, e: IOException): TomoBasisException =
    Unreadable(files(i), i, count, verbose, e)
}
