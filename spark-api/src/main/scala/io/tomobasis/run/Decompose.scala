package io.tomobasis.run

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.util.SerializableConfiguration

import scala.util.Using

import io.tomobasis.io.InputFile
import io.tomobasis.jni.{Decomposition, NamedFile, PassDriver}
import io.tomobasis.matrix._

/**
 * The decomposition of one matrix, as the driver sees it: the data flow of `docs/architecture.md`, top to bottom. The job and the
 * library both run this.
 *
 * The input may be read before there is a SparkContext ([[Headers]]), so that what cannot work fails at once.
 */
final class Decompose(run: SparkRun, config: JobConfig) extends SeriesWork {
  private val sc = run.context
  private val hadoop = sc.broadcast(new SerializableConfiguration(sc.hadoopConfiguration))
  private val maker = new BlockMaker(run, config, hadoop)

  override def begin(headers: Headers): SpreadSeries = new SpreadSeries {
    private val made = maker.of(headers)

    override def plan: SeriesPlan = made.plan
    override def records: Array[Byte] = run.tagged("fingerprint of a series")(made.blocks.map(_.records).first())
    override def write(result: ResultFolder, archive: Option[JsonNode]): Written =
      Using.resource(solve(made, headers.files, headers.stage))(Decompose.this.write(_, result, archive))
    override def close(): Unit = {
      made.kept.unpersist()
      ()
    }
  }

  /** Stages 2 to 4 of what the headers told. Throws UsageException, InputException or ComputationException. */
  def solve(headers: Headers): Solved = solve(maker.of(headers), headers.files, headers.stage)

  /** The same of a matrix whose rows Spark has. */
  def solve(rows: => IndexedRows): Solved = {
    val scan = config.stage(1, Vector(1))
    val known = run.progress.driver(scan) { done =>
      val found = run.tagged("count rows")(rows)
      done(1)
      found
    }
    val plan = maker.planOf(known)
    run.progress.say(plan.said.head)
    solve(maker.ofMatrix(plan)(blocks => blocks.ofRows(known)), IndexedSeq.empty, scan)
  }

  private def solve(made: Blocks, files: IndexedSeq[InputFile], scan: Stage): Solved = {
    val passes = if (config.exact) None else Some(new PassDriver(made.plan.json, config.json, made.floats.nonEmpty))
    val sums = config.stage(3, made.runs.sizes, passes.fold(1)(_.left))
    val solve = config.stage(4, Vector(1))

    // Stages 2 and 3: the row blocks stay for all stages after them.
    val solved = run.named(sums)(passes match {
      case None => exact(made)
      case Some(passes) => inPasses(passes, made)
    })
    Seq(made.decode, sums).foreach(run.progress.await)

    // Stage 4, on the driver: s and V.
    val decomposition = run.progress.driver(solve) { done =>
      val decomposition = solved()
      done(1)
      decomposition
    }
    decomposition.notes.foreach(run.progress.say)
    new Solved(made, decomposition, files, Seq(scan, made.decode, sums, solve))
  }

  /**
   * Stages 5 and 6: U and all that is made of it, block by block; a shuffle brings composites to their slices' files.
   *
   * @param archive of a series of many, what its manifest says of what it was made of
   */
  def write(solved: Solved, result: ResultFolder, archive: Option[JsonNode] = None): Written = {
    val decomposition = solved.decomposition
    val render = config.stage(5, solved.blockRuns.sizes)
    val sources = SourceFiles(hadoop, solved.files.length, config.verbose)
    val runs = if (config.dicom) derivedRuns(solved) else IndexedSeq.empty
    val derive = if (config.dicom) Some(config.stage(6, 0 +: runs.map(_.length))) else None
    val blocksToResult = RenderBlocks(run.workers, decomposition.toBytes, runs, sources, result.forTasks(hadoop))
    val shuffled = run.named(render)(blocksToResult.render(solved.blocks))
    val rendered =
      run.named(derive.getOrElse(render))(solved.mended(run.progress.say(_))(blocksToResult.finish(shuffled)))
    run.workers.natives.letGo(blocksToResult.renderer)
    (render +: derive.toSeq).foreach(run.progress.await)
    // The files about the whole series; the manifest, which names all others, is kept for the commit.
    val stages = (solved.stages :+ render) ++ derive
    val environment = Environment.json(sc, stages, solved.groups, solved.blocks.getNumPartitions, result, archive)
    val pictures = rendered.pictures.map { case (path, bytes) => new NamedFile(path, bytes) }
    val made = decomposition.finish(rendered.records, rendered.derived, pictures, environment)
    made.files.foreach(file => result.write(file.path, file.bytes))
    val figures = RunFigures.of(run, config, solved, stages, Some(made.root))
    Written(made.root, decomposition.closing(made.root, config.output), figures)
  }

  /** The slices of each task that writes derived DICOM. */
  private def derivedRuns(solved: Solved): IndexedSeq[Seq[SliceSource]] = {
    val layout = solved.plan.layout
    val parts = layout.derivePartitions(run.parallelism, solved.decomposition.composites)
    SourceFiles.ofWholeFiles(solved.plan, solved.files, Runs(layout.slices, parts))
  }

  /** Sums the exact Gram matrix; what is left for the driver is the result of the call. */
  private def exact(made: Blocks): () => Decomposition = {
    val (plan, columns) = (made.plan, made.plan.layout.slices)
    def sum(floats: Option[Floats]) =
      made.mended(run.progress.say(_))(ExactGram.sum(made.blocks, columns, run.figures, floats))
    made.floats match {
      case None =>
        val sums = sum(None)
        () => Decomposition.compute(plan.json, config.json, sums.parts, sums.records, driverThreads)
      case Some(numbers) =>
        ExactGram.check(columns, Runtime.getRuntime.maxMemory, numbers.sums)
        val shared = run.workers.natives.share(new SharedNumbers(numbers.toBytes))
        val sums = sum(Some(Floats(shared, numbers.sums)))
        () => Decomposition.computeReal(plan.json, config.json, numbers, sums.parts, sums.records, driverThreads)
    }
  }

  /** Runs all passes of the other methods; what is left for the driver is the result of the call. */
  private def inPasses(driver: PassDriver, made: Blocks): () => Decomposition = {
    val blocks = made.blocks
    driver.checkResults(sc.getConf.getSizeAsBytes("spark.driver.maxResultSize", "1g"), blocks.getNumPartitions)
    val last =
      FixedOrderPasses.run(blocks, made.plan.layout.slices, driver, driverThreads)(made.mended(run.progress.say(_))(_))
    () =>
      Using.resource(driver) { driver =>
        driver.add(last.partials, driverThreads)
        driver.finish(last.records)
      }
  }

  private def driverThreads: Int = Cores.ofDriver(sc)
}
