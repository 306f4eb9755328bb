package io.tomobasis.run

import org.apache.spark.rdd.RDD

import io.tomobasis.io.InputFile
import io.tomobasis.jni.Decomposition
import io.tomobasis.matrix._

/**
 * A matrix whose `s` and `V` are known, with its row blocks, which stay in the executors until it is closed.
 *
 * @param files  of the listing; none of a matrix that is in no files
 * @param stages so far
 */
final class Solved(
    made: Blocks,
    val decomposition: Decomposition,
    val files: IndexedSeq[InputFile],
    val stages: Seq[Stage]
) extends AutoCloseable {
  def plan: SeriesPlan = made.plan
  def blocks: RDD[RowBlock] = made.blocks

  /** k. */
  def rank: Int = decomposition.singularValues.length

  /** Runs a job on the row blocks, which are made again where they were damaged. */
  def mended[T](say: String => Unit)(job: => T): T = made.mended(say)(job)

  /** How they are cut into partitions. */
  def blockRuns: Runs = made.runs

  /** Tasks that read the input. */
  def groups: Int = made.groups

  override def close(): Unit = {
    decomposition.close()
    made.kept.unpersist()
    ()
  }
}
