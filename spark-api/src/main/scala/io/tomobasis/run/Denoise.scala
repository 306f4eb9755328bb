package io.tomobasis.run

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.rdd.RDD
import org.apache.spark.util.SerializableConfiguration

import scala.util.Using

import io.tomobasis.jni.{DenoiseDriver, Scratch}
import io.tomobasis.matrix._

/**
 * A denoised series, as the driver sees it: slices are decoded and cut into bands of rows by one shuffle, as they are into row blocks
 * where they are decomposed; everything after it is a step over the bands ([[DenoiseBands]]). The job and the library both run this.
 */
final class Denoise(run: SparkRun, config: JobConfig) extends SeriesWork {
  private val hadoop = run.context.broadcast(new SerializableConfiguration(run.context.hadoopConfiguration))

  /** Throws InputException for a series that cannot be denoised. */
  override def begin(headers: Headers): BandedSeries = {
    val series = new SeriesByPixels(run, config, hadoop, headers.files)
    val plan = series.withComparedCopies(headers.input match {
      case Series(plan) => plan
      case undecided: Undecided => series.decided(undecided)
      case _: Matrix => throw new IllegalStateException("a matrix is not denoised")
    })
    MemoryCheck.check(
      run.context,
      Scratch.of(plan.json, config.json, 0, Cores.ofDriver(run.context)),
      run.progress.say(_)
    )
    new BandedSeries(run, config, hadoop, headers, plan)
  }
}

/** A series in bands of rows, which stay in the executors until it is closed. */
final class BandedSeries private[run] (
    run: SparkRun,
    config: JobConfig,
    hadoop: Broadcast[SerializableConfiguration],
    headers: Headers,
    val plan: SeriesPlan
) extends SpreadSeries {
  private val (image, layout) = (plan.image, plan.layout)
  private val driver = new DenoiseDriver(plan.json, config.json)
  private val sources = SourceFiles(hadoop, headers.files.length, config.verbose)
  // How the volume is cut. None of it reaches the result.
  private val own = layout.bands(image.rows, run.parallelism)
  private val held = Boxes(own.map(heldBy), image.columns)
  private val sliceRuns = Runs(layout.slices, layout.decodePartitions(run.parallelism))
  private val groups = SourceFiles.decodeGroups(plan, headers.files, sliceRuns)
  private val decode = config.stage(2, groups.map(_.length))
  private val bands = {
    val parts = run.named(decode)(SliceReader.boxes(run.workers, plan, groups, sources, held))
    run.keep("bands of rows", held.assemble(parts))
  }
  private val steps = new DenoiseBands(run.workers, own, held, bands)

  override def records: Array[Byte] = run.tagged("fingerprint of a series")(bands.map(_.records).first())

  /** Stages 3 to 5: the noise, the series without it, and what that did. Throws InputException or ComputationException. */
  def denoise(): DenoisedSeries = {
    val rows = own.map(_.rows)
    val noise = config.stage(3, rows, DenoiseDriver.passes())
    val denoise = config.stage(4, rows)
    val effect = config.stage(5, rows, DenoiseDriver.passes())

    // Stages 2 and 3: the bands stay for all stages after them.
    run.named(noise)(for (_ <- 1 to DenoiseDriver.passes()) steps.count(driver))
    Seq(decode, noise).foreach(run.progress.await)
    val found = driver.notes().toSeq
    found.foreach(run.progress.say)

    // Stage 4.
    run.tagged("small details")(steps.tryDetails(driver, image))
    val denoised = run.named(denoise) {
      val denoised = run.keep("denoised rows", steps.denoise(driver))
      steps.add(driver, denoised)
      denoised
    }
    run.progress.await(denoise)

    // Stage 5.
    val after = steps.withHalos(denoised)
    run.named(effect)(for (_ <- 1 to DenoiseDriver.passes()) steps.count(driver, after))
    run.progress.await(effect)
    new DenoisedSeries(denoised, found, Seq(headers.stage, decode, noise, denoise, effect))
  }

  override def write(result: ResultFolder, archive: Option[JsonNode]): Written =
    Using.resource(denoise())(_.write(result, archive))

  override def close(): Unit = {
    bands.unpersist()
    driver.close()
  }

  /**
   * The series without its noise, whose bands stay in the executors until it is closed.
   *
   * @param notes what decoding found that the user is to be told
   */
  final class DenoisedSeries private[BandedSeries] (
      denoised: RDD[DenoisedPart],
      val notes: Seq[String],
      before: Seq[Stage]
  ) extends AutoCloseable {

    /** What was found and removed: sections of the manifest, as JSON. */
    def summary: String = driver.summary()

    /** What the user must know of it, in sentences. */
    def remarks: Seq[String] = driver.remarks().toSeq

    /** Of the run so far, in one line. */
    def figures: String = RunFigures.of(run, before, None)

    /** Each slice and its stored values less the slice's offset, in the order of the slices. */
    def slices: RDD[(Int, Array[Short])] = {
      val runs = Runs(layout.slices, layout.derivePartitions(run.parallelism, 1))
      steps.slices(image, denoised, runs)
    }

    /** Stage 6: the folder, but for the commit. A shuffle brings rows to their slices' files. */
    def write(result: ResultFolder, archive: Option[JsonNode]): Written = {
      val runs = derivedRuns
      val derive = config.stage(6, runs.map(_.length))
      val records = steps.derive(driver, denoised, image, runs, sources, result.forTasks(hadoop))
      val derived = run.named(derive)(records.collect())
      run.progress.await(derive)

      val (first, shown) = run.tagged("a slice to show")(steps.slice(driver.shown(), image, denoised))
      val samples = run.tagged("samples to look through")(steps.samples(driver, denoised))
      run.errors.check()
      val environment =
        Environment.json(run.context, before :+ derive, groups.length, own.length, result, archive)
      val made = driver.finish(first, shown, samples, derived, environment)
      made.files.foreach(file => result.write(file.path, file.bytes))
      Written(made.root, driver.closing(), RunFigures.of(run, before :+ derive, Some(made.root)))
    }

    override def close(): Unit = {
      denoised.unpersist()
      ()
    }
  }

  /** The rows that a band holds. */
  private def heldBy(band: Box): Box = {
    val rows = driver.held(band.firstRow, band.rows)
    band.copy(firstRow = rows(0), rows = rows(1))
  }

  /** The slices of each task that writes instances. */
  private def derivedRuns: IndexedSeq[Seq[SliceSource]] = {
    val parts = layout.derivePartitions(run.parallelism, 1)
    SourceFiles.ofWholeFiles(plan, headers.files, Runs(layout.slices, parts))
  }
}
