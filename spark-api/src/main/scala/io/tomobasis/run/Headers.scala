package io.tomobasis.run

import org.apache.hadoop.conf.Configuration

import scala.util.Using

import io.tomobasis.io.{InputFile, Listing}
import io.tomobasis.jni.{Inventory, MatrixSource}
import io.tomobasis.matrix.{MatrixFiles, SeriesPlan}

/** The input of a run, as far as headers tell: found by the first stage, which needs no Spark. */
final case class Headers private (files: IndexedSeq[InputFile], stage: Stage, input: Input)

/** What the headers say that the input is. */
sealed trait Input

/** A matrix that is no scan: its files, where its numbers are in them, and its plan as far as it is known. */
final case class Matrix(files: MatrixFiles, source: Array[Byte], plan: SeriesPlan, notes: Seq[String]) extends Input

/** The series that is meant. */
final case class Series(plan: SeriesPlan) extends Input

/** Slices may have been sent again under other numbers: the choice of series has to wait for the pixels of these. */
final case class Undecided(inventory: Inventory, repeats: Seq[SeriesPlan]) extends Input

object Headers {

  /** Those of a series that is known. */
  def of(files: IndexedSeq[InputFile], stage: Stage, plan: SeriesPlan): Headers = Headers(files, stage, Series(plan))

  /** Lists the input and reads the headers of its files. Throws UsageException or InputException. */
  def read(config: JobConfig, hadoop: Configuration, progress: Progress): Headers = {
    val files = Listing.list(config.inputs, hadoop, archives = !config.matrix)
    val stage = config.stage(1, Vector(files.length))
    val input =
      if (config.matrix) matrix(config, files, hadoop, stage, progress)
      else series(config, files, hadoop, stage, progress)
    Headers(files, stage, input)
  }

  private def matrix(
      config: JobConfig,
      files: IndexedSeq[InputFile],
      hadoop: Configuration,
      stage: Stage,
      progress: Progress
  ): Matrix = {
    val read = MatrixFiles(files, config.verbose)
    val matrix = progress.driver(stage) { done =>
      val source = read.reading(hadoop)(MatrixSource.open(config.json, read.names, read.lengths, _))
      done(files.length)
      Using.resource(source)(source => Matrix(read, source.toBytes, SeriesPlan.of(source.plan), source.notes.toSeq))
    }
    (matrix.notes ++ matrix.plan.said).foreach(progress.say)
    matrix
  }

  private def series(
      config: JobConfig,
      files: IndexedSeq[InputFile],
      hadoop: Configuration,
      stage: Stage,
      progress: Progress
  ): Input =
    progress.driver(stage) { done =>
      val inventory = SeriesScan.inventory(files, config, hadoop, done)
      val repeats = inventory.repeats().toSeq.map(SeriesPlan.of)
      if (repeats.isEmpty) Series(Using.resource(inventory)(found => SeriesPlan.of(found.select())))
      else Undecided(inventory, repeats)
    } match {
      case series @ Series(plan) =>
        plan.said.foreach(progress.say)
        series
      case undecided => undecided
    }
}
