package io.tomobasis.run

import org.apache.spark.rdd.RDD
import org.apache.spark.util.SerializableConfiguration

import scala.util.Using

import io.tomobasis.io.InputFile
import io.tomobasis.jni.DenoiseDriver
import io.tomobasis.matrix._

/**
 * A denoised series, as the driver sees it: slices are decoded and cut into bands of rows by one shuffle, as they are into row blocks
 * where they are decomposed; everything after it is a step over the bands ([[DenoiseBands]]).
 */
final class Denoise(run: SparkRun, config: JobConfig) {
  private val sc = run.context
  private val hadoop = sc.broadcast(new SerializableConfiguration(sc.hadoopConfiguration))

  /** Denoises the series into a folder, but for the commit. Throws InputException or ComputationException. */
  def write(headers: Headers, result: ResultFolder): Written = {
    val series = new SeriesByPixels(run, config, hadoop, headers.files)
    val plan = series.withComparedCopies(headers.input match {
      case Series(plan) => plan
      case undecided: Undecided => series.decided(undecided)
      case _: Matrix => throw new IllegalStateException("a matrix is not denoised")
    })
    Using.resource(new DenoiseDriver(plan.json, config.json))(write(_, plan, headers, result))
  }

  private def write(driver: DenoiseDriver, plan: SeriesPlan, headers: Headers, result: ResultFolder): Written = {
    val (image, layout) = (plan.image, plan.layout)
    val sources = SourceFiles(hadoop, headers.files.length, config.verbose)
    // How the volume is cut. None of it reaches the result.
    val own = layout.bands(image.rows, run.parallelism)
    val held = Boxes(own.map(heldBy(driver, _)), image.columns)
    val sliceRuns = Runs(layout.slices, layout.decodePartitions(run.parallelism))
    val groups = SourceFiles.decodeGroups(plan, headers.files, sliceRuns)
    val decode = config.stage(2, groups.map(_.length))
    val rows = own.map(_.rows)
    val noise = config.stage(3, rows, DenoiseDriver.passes())
    val denoise = config.stage(4, rows)
    val effect = config.stage(5, rows, DenoiseDriver.passes())

    // Stages 2 and 3: the bands stay for all stages after them.
    val parts = run.named(decode)(SliceReader.boxes(run.workers, plan, groups, sources, held))
    val bands = run.keep(held.assemble(parts))
    val steps = new DenoiseBands(run.workers, own, held, bands)
    run.named(noise)(for (_ <- 1 to DenoiseDriver.passes()) steps.count(driver))
    Seq(decode, noise).foreach(run.progress.await)
    driver.notes().foreach(run.progress.say)

    // Stage 4.
    run.tagged(steps.tryDetails(driver, image))
    val denoised = run.named(denoise) {
      val denoised = run.keep(steps.denoise(driver))
      steps.add(driver, denoised)
      denoised
    }
    run.progress.await(denoise)

    // Stage 5.
    val after = steps.withHalos(denoised)
    run.named(effect)(for (_ <- 1 to DenoiseDriver.passes()) steps.count(driver, after))
    run.progress.await(effect)

    // Stage 6: a shuffle brings rows to their slices' files.
    val runs = derivedRuns(plan, headers.files)
    val derive = config.stage(6, runs.map(_.length))
    val records = steps.derive(driver, denoised, image, runs, sources, result.forTasks(hadoop))
    val derived = run.named(derive)(records.collect())
    run.progress.await(derive)

    val (before, shown) = run.tagged(steps.slice(driver.shown(), image, denoised))
    val stages = Seq(headers.stage, decode, noise, denoise, effect, derive)
    val environment = Environment.json(sc, stages, groups.length, own.length, result, None)
    val made = driver.finish(before, shown, derived, environment)
    made.files.foreach(file => result.write(file.path, file.bytes))
    Seq[RDD[_]](bands, denoised).foreach(_.unpersist())
    Written(made.root, driver.closing())
  }

  /** The rows that a band holds. */
  private def heldBy(driver: DenoiseDriver, band: Box): Box = {
    val rows = driver.held(band.firstRow, band.rows)
    band.copy(firstRow = rows(0), rows = rows(1))
  }

  /** The slices of each task that writes instances. */
  private def derivedRuns(plan: SeriesPlan, files: IndexedSeq[InputFile]): IndexedSeq[Seq[SliceSource]] = {
    val parts = plan.layout.derivePartitions(run.parallelism, 1)
    SourceFiles.ofWholeFiles(plan, files, Runs(plan.layout.slices, parts))
  }
}
