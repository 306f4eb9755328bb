package io.tomobasis.matrix

import io.tomobasis.jni.{GramAccumulator, SliceDecoder}

/**
 * A row block of the matrix: all slices of a run of pixels, what every kernel works on.
 *
 * @param index   of the block, from 0; never depends on partitioning
 * @param rows    pixels in this block: 4096, fewer in the last one
 * @param columns slices n
 * @param values  slice-major: pixel i of slice j is at `j * rows + i`
 * @param records what decoding said of each slice when the values were read, as SliceDecoder returns it: a block that is lost is read
 *                again
 */
final case class RowBlock(index: Int, rows: Int, columns: Int, values: BlockValues, records: Array[Byte])

/** The values of a row block. */
sealed trait BlockValues

/**
 * Stored integers, of a scan or of a matrix that has no others.
 *
 * @param check of the values where they came from, as GramAccumulator.blockCheck has it: memory, disks and the network are trusted with
 *              nothing
 */
final case class Stored(values: Array[Short], check: Long) extends BlockValues {

  /** The values. Throws DamagedException where they are not what they were. */
  def verified(rows: Int): Array[Short] = {
    Damage.located(GramAccumulator.verifyBlock(values, rows, check))
    values
  }
}

object Stored {

  /** Values that are right now. */
  def of(values: Array[Short], rows: Int): Stored = Stored(values, GramAccumulator.blockCheck(values, rows, 0))
}

/** Floats, of any other matrix. */
final case class Real(values: Array[Double]) extends BlockValues

/**
 * What one decoding task contributes to one row block: the pixels of a run of consecutive slices.
 *
 * @param values  slice-major, as they stand in the block from `firstSlice * rows` on
 * @param records what decoding said of each of these slices
 * @param check   of the values, as GramAccumulator.blockCheck has it
 */
final case class Piece(block: Int, firstSlice: Int, values: Array[Short], records: Array[Byte], check: Long)

/** Records of all slices of a series, one after the other, from wherever they were read. */
object SliceRecords {

  /** The lists in both, each once: one if the input stayed as it is, else several, which the decomposition refuses. */
  def union(a: Array[Byte], b: Array[Byte], slices: Int): Array[Byte] =
    if (b.isEmpty || java.util.Arrays.equals(a, b)) a
    else (a ++ b).grouped(SliceDecoder.RECORD_BYTES * slices).map(_.toSeq).toSeq.distinct.flatten.toArray
}
