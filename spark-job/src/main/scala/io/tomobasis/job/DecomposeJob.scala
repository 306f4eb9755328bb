package io.tomobasis.job

import org.apache.hadoop.conf.Configuration
import org.apache.spark.SparkConf
import org.apache.spark.rdd.RDD
import org.apache.spark.storage.StorageLevel
import org.apache.spark.util.SerializableConfiguration

import java.io.PrintStream

import scala.util.Using

import io.tomobasis.io.{InputFile, Listing}
import io.tomobasis.jni.{Decomposition, Inventory, MatrixNumbers, MatrixSource, NamedFile, PassDriver}
import io.tomobasis.matrix._

/**
 * The decomposition of one series, as the driver sees it: the data flow of `docs/architecture.md`, top to bottom.
 *
 * The output is looked at before Spark starts, and in a run of one process the input too, so that what cannot work fails at once. On
 * a cluster Spark starts before the input is listed: executors register meanwhile, and YARN gives up a driver that takes 100 s for it.
 */
object DecomposeJob {
  private val Stages = 5
  private val StagesWithDicom = 6

  def run(config: JobConfig, sparkConf: SparkConf, out: PrintStream, err: PrintStream): Unit = {
    val hadoop = hadoopConf(sparkConf)
    Cluster.check(sparkConf)
    val result = ResultFolder.check(config.output, config.overwrite, sparkConf.get("spark.tomobasis.run", ""), hadoop)
    if (result.finishedBefore)
      err.println("found the result of an earlier attempt of this run, complete: nothing to do")
    else run(config, sparkConf, hadoop, result, out, err)
  }

  private def run(
      config: JobConfig,
      sparkConf: SparkConf,
      hadoop: Configuration,
      result: ResultFolder,
      out: PrintStream,
      err: PrintStream
  ): Unit = {
    val progress = new Progress(err, if (config.dicom) StagesWithDicom else Stages)
    def scan() = Headers.read(config, hadoop, progress, err)
    val early = if (Cores.local(sparkConf)) Some(scan()) else None
    try {
      val closing = Cluster.run(sparkConf, progress, err) { cluster =>
        val headers = early.getOrElse(scan())
        result.prepare()
        new DecomposeJob(cluster, config, progress, headers.files, err).run(headers, result)
      }
      result.commit()
      out.println(closing)
    } catch {
      case e: Throwable =>
        result.abort()
        throw e
    }
  }

  /** What SparkContext would make of it, before there is one. */
  private def hadoopConf(sparkConf: SparkConf): Configuration = {
    val conf = new Configuration
    sparkConf.getAllWithPrefix("spark.hadoop.").foreach { case (key, value) => conf.set(key, value) }
    conf
  }
}

/**
 * The input of a run, as far as headers tell: found by the first stage.
 *
 * @param choice a matrix; or the series that is meant; or, where slices may have been sent again under other numbers, what is known
 *               without pixels
 */
private final case class Headers(
    files: IndexedSeq[InputFile],
    stage: Stage,
    choice: Either[Matrix, Either[Undecided, SeriesPlan]]
)

/** A matrix that is no scan: its files, where its numbers are in them, and its plan as far as it is known. */
private final case class Matrix(files: MatrixFiles, source: Array[Byte], plan: SeriesPlan, notes: Seq[String])

/**
 * The row blocks of a run.
 *
 * @param plan   of the series that they are of
 * @param floats what the sums of a matrix of floats depend on
 * @param read   what they were made of, which is kept until the sums are there
 * @param decode the stage that makes them
 * @param groups tasks of that stage
 */
private final case class Blocks(
    plan: SeriesPlan,
    blocks: RDD[RowBlock],
    runs: Runs,
    floats: Option[MatrixNumbers],
    read: Option[RDD[ReadBlock]],
    decode: Stage,
    groups: Int
)

/** A choice of series that has to wait for the pixels of these slices. */
private final case class Undecided(inventory: Inventory, repeats: Seq[SeriesPlan])

private object Headers {
  def read(config: JobConfig, hadoop: Configuration, progress: Progress, err: PrintStream): Headers = {
    val files = Listing.list(config.inputs, hadoop, archives = !config.matrix)
    val stage = config.stage(1, Vector(files.length))
    if (config.matrix) Headers(files, stage, Left(matrix(config, files, hadoop, stage, progress, err)))
    else Headers(files, stage, Right(series(config, files, hadoop, stage, progress, err)))
  }

  private def matrix(
      config: JobConfig,
      files: IndexedSeq[InputFile],
      hadoop: Configuration,
      stage: Stage,
      progress: Progress,
      err: PrintStream
  ): Matrix = {
    val read = MatrixFiles(files, config.verbose)
    val matrix = progress.driver(stage) { done =>
      val source = read.reading(hadoop)(MatrixSource.open(config.json, read.names, read.lengths, _))
      done(files.length)
      Using.resource(source)(source => Matrix(read, source.toBytes, SeriesPlan.of(source.plan), source.notes.toSeq))
    }
    (matrix.notes ++ matrix.plan.said).foreach(err.println)
    matrix
  }

  private def series(
      config: JobConfig,
      files: IndexedSeq[InputFile],
      hadoop: Configuration,
      stage: Stage,
      progress: Progress,
      err: PrintStream
  ): Either[Undecided, SeriesPlan] = {
    val choice = progress.driver(stage) { done =>
      val inventory = SeriesScan.inventory(files, config, hadoop, done)
      val repeats = inventory.repeats().toSeq.map(SeriesPlan.of)
      if (repeats.isEmpty) Right(Using.resource(inventory)(found => SeriesPlan.of(found.select())))
      else Left(Undecided(inventory, repeats))
    }
    choice.foreach(_.said.foreach(err.println))
    choice
  }
}

private final class DecomposeJob(
    cluster: Cluster,
    config: JobConfig,
    progress: Progress,
    files: IndexedSeq[InputFile],
    err: PrintStream
) {
  private val sc = cluster.context
  private val hadoop = sc.broadcast(new SerializableConfiguration(sc.hadoopConfiguration))

  /** Writes all files of the result folder; returns what to tell the user once it is committed. */
  def run(headers: Headers, result: ResultFolder): String = {
    val sources = SourceFiles(hadoop, files.length, config.verbose)
    val blocks = headers.choice match {
      case Left(matrix) => ofMatrix(matrix)
      case Right(choice) =>
        val compared = withComparedCopies(choice.fold(decided, identity))
        ofScan(if (config.skipBadSlices) withoutBadSlices(compared) else compared, sources)
    }
    decompose(blocks, sources, headers.stage, result)
  }

  /** The row blocks of a scan: nothing is decoded before the sums ask for them. */
  private def ofScan(plan: SeriesPlan, sources: SourceFiles): Blocks = {
    // How the matrix, pixels x slices, is cut: runs of slices to decode, runs of row blocks for all that follows.
    val layout = plan.layout
    if (config.exact) ExactGram.check(layout.slices, Runtime.getRuntime.maxMemory)
    val sliceRuns = Runs(layout.slices, layout.decodePartitions(cluster.parallelism))
    val blockRuns = Runs(layout.blocks, layout.blockPartitions(cluster.parallelism))
    val groups = SourceFiles.decodeGroups(plan, files, sliceRuns)
    val decode = config.stage(2, groups.map(_.length))
    val pieces = named(decode)(SliceReader.pieces(cluster.workers, plan, groups, sources))
    val blocks = RowBlocks.assemble(pieces, layout, blockRuns)
    Blocks(plan, blocks, blockRuns, None, None, decode, groups.length)
  }

  /** The row blocks of a matrix: read first, since all numbers decide how they are kept. */
  private def ofMatrix(matrix: Matrix): Blocks = {
    val layout = matrix.plan.layout
    if (config.exact) ExactGram.check(layout.slices, Runtime.getRuntime.maxMemory)
    val runs = Runs(layout.blocks, layout.blockPartitions(cluster.parallelism))
    val decode = config.stage(2, runs.sizes)
    val rows = new MatrixBlocks(cluster.workers, layout, runs)
    val read = rows.read(matrix.source, matrix.files, hadoop).persist(StorageLevel.MEMORY_AND_DISK)
    val summaries = named(decode)(rows.summaries(read))
    val numbers = MatrixNumbers.of(matrix.plan.json, config.json, summaries)
    val shared = sc.broadcast(new SharedNumbers(numbers.toBytes))
    val records = named(decode)(rows.records(read, shared, cluster.parallelism))
    val plan = matrix.plan.copy(json = numbers.plan(matrix.plan.json))
    val floats = if (numbers.real) Some(numbers) else None
    Blocks(plan, rows.blocks(read, shared, records), runs, floats, Some(read), decode, runs.parts)
  }

  /** The series that is meant, once pixels have told which slices were sent again. */
  private def decided(choice: Undecided): SeriesPlan =
    Using.resource(choice.inventory) { inventory =>
      for (plan <- choice.repeats) inventory.know(plan.json, digests(plan).map(_.toNative).toArray)
      val plan = SeriesPlan.of(inventory.select())
      plan.said.foreach(err.println)
      plan
    }

  /** The series once what seems to be a copy of a slice has proven to have its pixels. */
  private def withComparedCopies(plan: SeriesPlan): SeriesPlan =
    plan.comparison.fold(plan) { comparison =>
      val found = digests(comparison).map(_.toNative).toArray
      val compared = SeriesPlan.of(Inventory.compared(plan.json, found, config.skipBadSlices))
      compared.notes.diff(plan.notes).foreach(err.println)
      compared
    }

  /**
   * The series without the slices that cannot be decoded. Which they are must be known before the first row block is cut, so all
   * slices are decoded once more than otherwise: the price of `--on-bad-slice skip`.
   */
  private def withoutBadSlices(plan: SeriesPlan): SeriesPlan = {
    val bad = digests(plan).filter(_.error.nonEmpty)
    for (slice <- bad) err.println(s"skipped: ${slice.error}")
    if (bad.isEmpty) plan
    else SeriesPlan.of(Inventory.without(plan.json, bad.map(_.slice).toArray, bad.map(_.error).toArray))
  }

  /** What decoding gives of each slice of a plan, by tasks; one that is in the plan twice is decoded once. */
  private def digests(plan: SeriesPlan): Seq[DecodedSlice] = {
    val slices = plan.keys.indices.distinctBy(plan.keys)
    val parts = math.min(slices.length, plan.layout.decodePartitions(cluster.parallelism))
    val groups = SourceFiles.groups(plan, files, Runs(slices.length, parts), slices)
    val sources = SourceFiles(hadoop, files.length, verbose = false)
    val found = if (groups.isEmpty) Nil else SliceReader.digests(cluster.workers, plan, groups, sources)
    val all = found.map(digest => plan.keys(digest.slice) -> digest).toMap
    plan.keys.zipWithIndex.map { case (key, slice) => all(key).copy(slice = slice) }
  }

  private def decompose(made: Blocks, sources: SourceFiles, scan: Stage, result: ResultFolder): String = {
    val Blocks(plan, unkept, blockRuns, floats, read, decode, groups) = made
    val passes = if (config.exact) None else Some(new PassDriver(plan.json, config.json, floats.nonEmpty))
    val sums = config.stage(3, blockRuns.sizes, passes.fold(1)(_.left))
    val solve = config.stage(4, Vector(1))
    val render = config.stage(5, blockRuns.sizes)

    // Stages 2 and 3: the row blocks stay for all stages after them.
    val blocks = unkept.persist(StorageLevel.MEMORY_AND_DISK)
    val solved = named(sums)(passes match {
      case None => exact(plan, blocks, floats)
      case Some(passes) => inPasses(passes, plan.layout.slices, blocks)
    })
    read.foreach(_.unpersist())
    Seq(decode, sums).foreach(progress.await)

    // Stage 4, on the driver: s and V.
    val decomposition = progress.driver(solve) { done =>
      val decomposition = solved()
      done(1)
      decomposition
    }
    Using.resource(decomposition) { decomposition =>
      decomposition.notes.foreach(progress.say)
      // Stages 5 and 6: U and all that is made of it, block by block; a shuffle brings composites to their slices' files.
      val runs = if (config.dicom) derivedRuns(plan, decomposition) else IndexedSeq.empty
      val derive = if (config.dicom) Some(config.stage(6, 0 +: runs.map(_.length))) else None
      val blocksToResult = RenderBlocks(cluster.workers, decomposition.toBytes, runs, sources, result.forTasks(hadoop))
      val shuffled = named(render)(blocksToResult.render(blocks))
      val rendered = named(derive.getOrElse(render))(blocksToResult.finish(shuffled))
      (render +: derive.toSeq).foreach(progress.await)
      // The files about the whole series; the manifest, which names all others, is kept for the commit.
      val stages = Seq(scan, decode, sums, solve, render) ++ derive
      val environment = Environment.json(sc, stages, groups, blockRuns.parts, result)
      val pictures = rendered.pictures.map { case (path, bytes) => new NamedFile(path, bytes) }
      val made = decomposition.finish(rendered.records, rendered.derived, pictures, environment)
      made.files.foreach(file => result.write(file.path, file.bytes))
      decomposition.closing(made.root, config.output)
    }
  }

  /** The slices of each task that writes derived DICOM. */
  private def derivedRuns(plan: SeriesPlan, decomposition: Decomposition): IndexedSeq[Seq[SliceSource]] = {
    val parts = plan.layout.derivePartitions(cluster.parallelism, decomposition.composites)
    SourceFiles.ofWholeFiles(plan, files, Runs(plan.layout.slices, parts))
  }

  /** Sums the exact Gram matrix; what is left for the driver is the result of the call. */
  private def exact(plan: SeriesPlan, blocks: RDD[RowBlock], floats: Option[MatrixNumbers]): () => Decomposition = {
    val columns = plan.layout.slices
    floats match {
      case None =>
        val sums = ExactGram.sum(blocks, columns)
        () => Decomposition.compute(plan.json, config.json, sums.parts, sums.records, driverThreads)
      case Some(numbers) =>
        ExactGram.check(columns, Runtime.getRuntime.maxMemory, numbers.sums)
        val shared = sc.broadcast(new SharedNumbers(numbers.toBytes))
        val sums = ExactGram.sum(blocks, columns, Some(Floats(shared, numbers.sums)))
        () => Decomposition.computeReal(plan.json, config.json, numbers, sums.parts, sums.records, driverThreads)
    }
  }

  /** Runs all passes of the other methods; what is left for the driver is the result of the call. */
  private def inPasses(driver: PassDriver, slices: Int, blocks: RDD[RowBlock]): () => Decomposition = {
    driver.checkResults(sc.getConf.getSizeAsBytes("spark.driver.maxResultSize", "1g"), blocks.getNumPartitions)
    val last = FixedOrderPasses.run(sc, blocks, slices, driver, driverThreads)
    () =>
      Using.resource(driver) { driver =>
        driver.add(last.partials, driverThreads)
        driver.finish(last.records)
      }
  }

  /** Gives what is defined in `body` the stage's name, in Spark's interface too. A result from part of the input is none. */
  private def named[T](stage: Stage)(body: => T): T = {
    progress.expect(stage)
    sc.setCallSite(Progress.site(stage))
    val made =
      try body
      finally sc.clearCallSite()
    cluster.errors.check()
    made
  }

  /** Cores of the driver: those of `local[N]`, else what the machine or its container gives to this JVM. */
  private def driverThreads: Int = {
    val cores = Runtime.getRuntime.availableProcessors
    "local\\[(\\d+)".r.findPrefixMatchOf(sc.master).fold(cores)(local => math.min(cores, local.group(1).toInt))
  }
}
