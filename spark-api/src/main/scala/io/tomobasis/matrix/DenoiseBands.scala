package io.tomobasis.matrix

import org.apache.spark.broadcast.Broadcast
import org.apache.spark.rdd.RDD

import java.util.Arrays

import io.tomobasis.jni.{BandDenoiser, DenoiseDriver}

/** A band's own rows, denoised, and what native code has counted meanwhile. */
final case class DenoisedPart(voxels: Voxels, found: PassPart)

/**
 * A volume in bands of rows: each partition holds one, with as many rows above and below as a step needs. A step is broadcast; what it
 * makes of a band is a function of the band, and native code on the driver puts together what was counted, so neither partitions nor
 * retries change a bit.
 *
 * @param own   the rows of each band
 * @param held  all that it holds
 * @param bands stay in the executors for all steps
 */
final class DenoiseBands(workers: Workers, own: IndexedSeq[Box], held: Boxes, bands: RDD[Voxels]) {
  import DenoiseBands._

  private val sc = workers.context
  private val slices = own.head.slices

  /** One pass over the volume. */
  def count(driver: DenoiseDriver): Unit = {
    val (step, own, badInput) = (shared(driver), this.own, workers.badInput)
    add(
      driver,
      bands
        .mapPartitionsWithIndex((i, arriving) => badInput.endsAt(0)(arriving.map(run(step, own(i), _, null).found)))
        .collect()
    )
    workers.natives.letGo(step)
  }

  /** One pass over the volume before and after. */
  def count(driver: DenoiseDriver, denoised: RDD[Voxels]): Unit = {
    val (step, own, badInput) = (shared(driver), this.own, workers.badInput)
    add(
      driver,
      bands
        .mapPartitionsWithIndex((i, arriving) => arriving.map(own(i) -> _))
        .zipPartitions(denoised) { (before, after) =>
          badInput.endsAt(0)(before.zip(after).map { case ((rows, band), after) =>
            run(step, rows, band, after.values).found
          })
        }
        .collect()
    )
    workers.natives.letGo(step)
  }

  /** The rows of each band, denoised once it is asked for. */
  def denoise(driver: DenoiseDriver): RDD[DenoisedPart] = {
    val (step, own, badInput) = (shared(driver), this.own, workers.badInput)
    bands.mapPartitionsWithIndex((i, arriving) => badInput.endsAt(0)(arriving.map(run(step, own(i), _, null))))
  }

  /** Takes what was counted while all rows were denoised, which is done now. */
  def add(driver: DenoiseDriver, denoised: RDD[DenoisedPart]): Unit = add(driver, denoised.map(_.found).collect())

  /** The denoised rows with those around them, as each band has them. */
  def withHalos(denoised: RDD[DenoisedPart]): RDD[Voxels] = assembled(held, denoised)

  /** What the report shows of the volume before and after: small. */
  def samples(driver: DenoiseDriver, denoised: RDD[DenoisedPart]): Array[Array[Byte]] = {
    val (step, own, badInput) = (shared(driver), this.own, workers.badInput)
    bands
      .mapPartitionsWithIndex((i, arriving) => arriving.map(own(i) -> _))
      .zipPartitions(denoised) { (before, after) =>
        badInput.endsAt(0)(before.zip(after).map { case ((rows, band), part) =>
          step.value.use(_.samples(rows.firstRow, rows.rows, band.values, part.voxels.values, band.records))
        })
      }
      .collect()
  }

  /** What is left of small details, which are tried in some places. */
  def tryDetails(driver: DenoiseDriver, image: ImageSize): Unit = {
    // 1. Whole slices: where in them is room.
    val probes = Boxes(driver.probes().toIndexedSeq.map(Box(_, 1, 0, image.rows)), image.columns)
    if (probes.boxes.nonEmpty) {
      val step = shared(driver)
      val places = assembled(probes)
        .mapPartitionsWithIndex((i, slice) => slice.flatMap(slice => Option(step.value.use(_.place(i, slice.values)))))
        .collect()
      driver.addPlaces(places)
      // 2. Around each place some slices and rows: what denoising leaves there.
      val numbers = driver.surroundings().grouped(4).toIndexedSeq
      val around = Boxes(numbers.map(box => Box(box(0), box(1), box(2), box(3))), image.columns)
      driver.addKept(if (around.boxes.isEmpty) Array.emptyDoubleArray else kept(driver, around))
    }
  }

  private def kept(driver: DenoiseDriver, around: Boxes): Array[Double] = {
    val step = shared(driver)
    assembled(around)
      .mapPartitionsWithIndex((i, box) => box.map(box => step.value.use(_.kept(i, box.values))))
      .collect()
  }

  /** Stored values of a slice, before and after. */
  def slice(slice: Int, image: ImageSize, denoised: RDD[DenoisedPart]): (Array[Short], Array[Short]) = {
    val whole = Boxes(IndexedSeq(Box(slice, 1, 0, image.rows)), image.columns)
    def values(slice: RDD[Voxels]) = slice.map(_.values).collect().head
    (values(assembled(whole)), values(assembled(whole, denoised)))
  }

  /** All slices, denoised, in their order: each with its stored values. */
  def slices(image: ImageSize, denoised: RDD[DenoisedPart], runs: Runs): RDD[(Int, Array[Short])] = {
    val pixels = image.rows * image.columns
    val whole =
      Boxes((0 until runs.parts).map(part => Box(runs.start(part), runs.of(part).size, 0, image.rows)), image.columns)
    assembled(whole, denoised).flatMap { voxels =>
      (0 until voxels.box.slices).iterator.map { i =>
        (voxels.box.firstSlice + i) -> Arrays.copyOfRange(voxels.values, i * pixels, (i + 1) * pixels)
      }
    }
  }

  /** Writes the instances of all slices, one task for each run of them; their records. */
  def derive(
      driver: DenoiseDriver,
      denoised: RDD[DenoisedPart],
      image: ImageSize,
      runs: IndexedSeq[Seq[SliceSource]],
      files: SourceFiles,
      folder: ResultWriter
  ): RDD[Array[Byte]] = {
    val (step, badInput, pixels) = (shared(driver), workers.badInput, image.rows * image.columns)
    val ofRuns = sc.broadcast(runs.map(_.toArray).toArray)
    val whole = Boxes(runs.map(run => Box(run.head.slice, run.length, 0, image.rows)), image.columns)
    assembled(whole, denoised).mapPartitionsWithIndex { (i, arriving) =>
      val run = ofRuns.value(i).toSeq
      badInput.endsAt(run.head.slice)(arriving.flatMap { voxels =>
        files.each(run, whole = true) { (ofFile, bytes) =>
          val source = ofFile.head
          val first = (source.slice - voxels.box.firstSlice) * pixels
          val values = Arrays.copyOfRange(voxels.values, first, first + pixels)
          val made = step.value.use(_.derive(source.slice, source.file.name, bytes.head, values))
          folder.write(made.path, made.bytes)
          made.records
        }
      })
    }
  }

  /** Boxes of the volume. */
  private def assembled(boxes: Boxes): RDD[Voxels] = {
    val own = this.own
    boxes.assemble(bands.mapPartitionsWithIndex((i, arriving) => arriving.flatMap(boxes.cut(_, own(i)))))
  }

  /** Boxes of the denoised one. */
  private def assembled(boxes: Boxes, denoised: RDD[DenoisedPart]): RDD[Voxels] =
    boxes.assemble(denoised.flatMap(part => boxes.cut(part.voxels)))

  private def shared(driver: DenoiseDriver): Broadcast[SharedBandDenoiser] =
    workers.natives.share(new SharedBandDenoiser(driver.step()))

  private def add(driver: DenoiseDriver, found: Array[PassPart]): Unit = {
    val records = found.map(_.records).foldLeft(Array.emptyByteArray)(SliceRecords.union(_, _, slices))
    driver.add(found.map(_.bytes), records)
  }
}

object DenoiseBands {

  /** Does a step in a band. */
  private def run(
      step: Broadcast[SharedBandDenoiser],
      rows: Box,
      band: Voxels,
      after: Array[Short]
  ): DenoisedPart = {
    val made = step.value.use(_.run(rows.firstRow, rows.rows, band.values, after, band.records))
    val values = Option(made.values).getOrElse(Array.emptyShortArray)
    DenoisedPart(Voxels(rows, values, Array.emptyByteArray), PassPart(made.found, band.records))
  }
}

/** One per executor, made by the first task that needs it. */
final class SharedBandDenoiser(step: Array[Byte]) extends PerExecutor[BandDenoiser] {
  override protected def make(): BandDenoiser = new BandDenoiser(step)
}
