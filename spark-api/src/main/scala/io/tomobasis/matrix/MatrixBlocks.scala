package io.tomobasis.matrix

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.FSDataInputStream
import org.apache.spark.Partitioner
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.rdd.RDD
import org.apache.spark.util.SerializableConfiguration

import java.io.EOFException
import java.util.Arrays

import scala.collection.mutable
import scala.util.Using

import io.tomobasis.figures.{Counted, Figures}
import io.tomobasis.io.{HadoopFiles, InputFile, StoreFailure, Unreadable}
import io.tomobasis.jni.{ColumnDigests, LocalFiles, MatrixSource}

/** The files of a matrix as driver and tasks see them, in the order of the listing. */
final case class MatrixFiles(files: IndexedSeq[InputFile], verbose: Boolean) {

  /** What has no length cannot be read: native code says so. */
  def lengths: Array[Long] = files.map(file => if (file.unread.isEmpty) file.length else -1L).toArray

  def names: Array[String] = files.map(_.name).toArray

  /** Runs what reads them; a file is opened once, unless there are more than are kept open. */
  def reading[T](conf: Configuration, figures: Option[Figures] = None)(work: MatrixSource.Reader => T): T =
    Using.resource(new MatrixReader(this, conf, figures))(work)
}

private final class MatrixReader(from: MatrixFiles, conf: Configuration, figures: Option[Figures])
    extends MatrixSource.Reader
    with AutoCloseable {

  /** The one that was read last comes last. */
  private val open = mutable.LinkedHashMap.empty[Int, FSDataInputStream]

  override def read(file: Int, position: Long, buffer: Array[Byte], count: Int): Unit = {
    val wanted = from.files(file)
    try
      wanted.local match {
        case Some(path) =>
          val bytes = LocalFiles.read(path, position, count)
          if (bytes.length < count) throw new EOFException
          System.arraycopy(bytes, 0, buffer, 0, count)
        case None =>
          stream(file, wanted).readFully(position, buffer, 0, count)
      }
    catch {
      case StoreFailure(e) => throw Unreadable(wanted, file, from.files.length, from.verbose, e)
    }
    figures.foreach(_.add(Counted.Bytes, count.toLong))
  }

  private def stream(file: Int, wanted: InputFile): FSDataInputStream = {
    val in = open.remove(file).getOrElse {
      while (open.size >= MatrixReader.MostOpen) open.remove(open.head._1).foreach(_.close())
      HadoopFiles.open(wanted.uri, wanted.length, "random", conf)
    }
    open.put(file, in)
    in
  }

  override def close(): Unit = open.values.foreach(_.close())
}

private object MatrixReader {

  /** As the command. */
  val MostOpen = 256
}

/**
 * A matrix that is no scan: its files to row blocks. Tasks read runs of row blocks, which are all in one place then, and kept: they are
 * all that is kept of the matrix. What the numbers are (integers of 16 bits, or floats) and the digests of the columns are known when
 * all were read; the digests take a shuffle, since a column's pieces have to come in order.
 */
final class MatrixBlocks(workers: Workers, layout: Layout, runs: Runs) {
  private val sc = workers.context

  def read(source: Array[Byte], files: MatrixFiles, hadoop: Broadcast[SerializableConfiguration]): RDD[ReadBlock] = {
    val (layout, runs, badInput, figures) = (this.layout, this.runs, workers.badInput, workers.figures)
    val shared = workers.natives.share(new SharedSource(source))
    val listed = sc.broadcast(files)
    sc.parallelize(0 until runs.parts, runs.parts).flatMap { part =>
      val blocks = runs.of(part)
      badInput.endsAt(blocks.start) {
        val values = listed.value.reading(hadoop.value.value, Some(figures)) { reader =>
          shared.value.use(_.read(listed.value.lengths, blocks.start, blocks.length, reader))
        }
        val starts = blocks.scanLeft(0)((at, block) => at + layout.slices * layout.rows(block))
        figures.add(Counted.RowBlocks, blocks.length.toLong)
        figures.noteMemory()
        blocks.iterator.zip(starts).map { case (block, at) =>
          val rows = layout.rows(block)
          ReadBlock(block, rows, Arrays.copyOfRange(values, at, at + layout.slices * rows))
        }
      }
    }
  }

  /** Of a matrix whose rows Spark has. */
  def ofRows(rows: IndexedRows): RDD[ReadBlock] = MatrixRows.read(rows, workers, layout, runs)

  /** What the numbers of each partition are. */
  def summaries(blocks: RDD[ReadBlock]): Array[Array[Byte]] = {
    val columns = layout.slices
    blocks
      .mapPartitions { mine =>
        val all = mine.toArray
        if (all.isEmpty) Iterator.empty
        else Iterator.single(MatrixSource.summary(all.head.index, columns, all.map(_.values)))
      }
      .collect()
  }

  /** The records of all columns, in their order. */
  def records(blocks: RDD[ReadBlock], numbers: Broadcast[SharedNumbers], parallelism: Parallelism): Array[Byte] = {
    val columns = Runs(layout.slices, layout.decodePartitions(parallelism))
    blocks
      .flatMap { block =>
        val values = block.values
        (0 until columns.parts).iterator.map { run =>
          val mine = columns.of(run)
          (run, block.index) -> Arrays.copyOfRange(values, mine.start * block.rows, mine.end * block.rows)
        }
      }
      .repartitionAndSortWithinPartitions(new RunPartitioner(columns.parts))
      .mapPartitionsWithIndex { (run, pieces) =>
        Using.resource(numbers.value.use(new ColumnDigests(_, columns.of(run).length))) { digests =>
          pieces.foreach { case (_, piece) => digests.add(piece) }
          Iterator.single(run -> digests.records())
        }
      }
      .collect()
      .sortBy(_._1)
      .flatMap(_._2)
  }

  /** The row blocks that all other stages work on. One that was read again must be what it was. */
  def blocks(read: RDD[ReadBlock], numbers: Broadcast[SharedNumbers], records: Array[Byte]): RDD[RowBlock] = {
    val (columns, badInput, known) = (layout.slices, workers.badInput, sc.broadcast(records))
    read.flatMap { block =>
      badInput.endsAt(block.index)(
        Iterator.single(RowBlock(block.index, block.rows, columns, block.as(numbers.value), known.value))
      )
    }
  }
}

/** Sends a piece of run i to partition i. */
private final class RunPartitioner(override val numPartitions: Int) extends Partitioner {
  override def getPartition(key: Any): Int = key.asInstanceOf[(Int, Int)]._1
}

/** One per executor, made by the first task that needs it. */
final class SharedSource(bytes: Array[Byte]) extends PerExecutor[MatrixSource] {
  override protected def make(): MatrixSource = MatrixSource.fromBytes(bytes)
}
