package io.tomobasis.run

import org.apache.spark.broadcast.Broadcast
import org.apache.spark.rdd.RDD
import org.apache.spark.util.SerializableConfiguration

import io.tomobasis.io.InputFile
import io.tomobasis.jni.{InputException, MatrixNumbers, MatrixSource, Scratch}
import io.tomobasis.matrix._

/**
 * The row blocks of a run.
 *
 * @param plan   of the series that they are of
 * @param floats what the sums of a matrix of floats depend on
 * @param kept   what stays in the executors: the blocks, or what they are made of
 * @param decode the stage that makes them
 * @param groups tasks of that stage
 */
final case class Blocks(
    plan: SeriesPlan,
    blocks: RDD[RowBlock],
    runs: Runs,
    floats: Option[MatrixNumbers],
    kept: RDD[_],
    decode: Stage,
    groups: Int
) {

  /** Runs a job on the blocks, which are made again where they were damaged; the user is told. */
  def mended[T](say: String => Unit)(job: => T): T = Damage.mended(kept, say)(job)
}

/** The input of a run to its row blocks. */
final class BlockMaker(run: SparkRun, config: JobConfig, hadoop: Broadcast[SerializableConfiguration]) {
  private val sc = run.context

  def of(headers: Headers): Blocks = headers.input match {
    case matrix: Matrix => ofMatrix(matrix.plan)(_.read(matrix.source, matrix.files, hadoop))
    case Series(plan) => new ScanMaker(headers.files).blocks(plan)
    case undecided: Undecided => new ScanMaker(headers.files).blocks(undecided)
  }

  /** The row blocks of a matrix: read first, since all numbers decide how they are kept. */
  def ofMatrix(known: SeriesPlan)(reading: MatrixBlocks => RDD[ReadBlock]): Blocks = {
    val layout = known.layout
    checkMemory(known)
    val runs = Runs(layout.blocks, layout.blockPartitions(run.parallelism))
    val decode = config.stage(2, runs.sizes)
    val rows = new MatrixBlocks(run.workers, layout, runs)
    val read = run.keep("matrix as it was read", reading(rows))
    val summaries = run.named(decode)(rows.summaries(read))
    val numbers = MatrixNumbers.of(known.json, summaries)
    val shared = run.workers.natives.share(new SharedNumbers(numbers.toBytes))
    val records = run.named(decode)(rows.records(read, shared, run.parallelism))
    val plan = known.copy(json = numbers.plan(known.json))
    val floats = if (numbers.real) Some(numbers) else None
    // Other methods have no sums, and take what is too wide for them.
    floats.filter(_ => config.exact).foreach { numbers =>
      val scratch = Scratch.of(plan.json, config.json, numbers.sums, Cores.ofDriver(sc))
      MemoryCheck.check(sc, scratch, run.progress.say(_))
    }
    Blocks(plan, rows.blocks(read, shared, records), runs, floats, read, decode, runs.parts)
  }

  /** Memory of the driver and of executors, before a task works on the matrix. */
  private def checkMemory(plan: SeriesPlan): Unit = {
    if (config.exact) ExactGram.check(plan.layout.slices, Runtime.getRuntime.maxMemory)
    val threads = Cores.ofDriver(sc)
    Scratch.checkDriver(plan.json, config.json, threads)
    MemoryCheck.check(sc, Scratch.of(plan.json, config.json, 0, threads), run.progress.say(_))
  }

  /** What is known of a matrix whose rows Spark has. */
  def planOf(rows: IndexedRows): SeriesPlan = {
    if (rows.count > Int.MaxValue)
      throw new InputException(s"the matrix has ${rows.count} rows; at most ${Int.MaxValue} are supported")
    SeriesPlan.of(MatrixSource.planOfRows(config.json, rows.count.toInt, rows.columns))
  }

  private final class ScanMaker(files: IndexedSeq[InputFile]) {
    private val series = new SeriesByPixels(run, config, hadoop, files)

    def blocks(undecided: Undecided): Blocks = blocks(series.decided(undecided))

    def blocks(plan: SeriesPlan): Blocks = {
      val compared = series.withComparedCopies(plan)
      ofScan(if (config.skipBadSlices) series.withoutBadSlices(compared) else compared)
    }

    /** Nothing is decoded before the sums ask for it. */
    private def ofScan(plan: SeriesPlan): Blocks = {
      // How the matrix, pixels x slices, is cut: runs of slices to decode, runs of row blocks for all that follows.
      val layout = plan.layout
      checkMemory(plan)
      val sliceRuns = Runs(layout.slices, layout.decodePartitions(run.parallelism))
      val blockRuns = Runs(layout.blocks, layout.blockPartitions(run.parallelism))
      val groups = SourceFiles.decodeGroups(plan, files, sliceRuns)
      val decode = config.stage(2, groups.map(_.length))
      val sources = SourceFiles(hadoop, files.length, config.verbose)
      val pieces = run.named(decode)(SliceReader.pieces(run.workers, plan, groups, sources))
      val blocks = run.keep("row blocks", RowBlocks.assemble(pieces, layout, blockRuns, run.figures))
      Blocks(plan, blocks, blockRuns, None, blocks, decode, groups.length)
    }
  }
}
