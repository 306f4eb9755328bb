package io.tomobasis.matrix

import org.apache.spark.HashPartitioner
import org.apache.spark.rdd.{RDD, ShuffledRDD}

import io.tomobasis.jni.SliceDecoder

/** A part of a volume: some slices, and some rows of these with all their columns. */
final case class Box(firstSlice: Int, slices: Int, firstRow: Int, rows: Int) {
  def endSlice: Int = firstSlice + slices
  def endRow: Int = firstRow + rows

  /** What both hold; none where that is nothing. */
  def and(other: Box): Option[Box] = {
    val (slice, row) = (math.max(firstSlice, other.firstSlice), math.max(firstRow, other.firstRow))
    val both =
      Box(slice, math.min(endSlice, other.endSlice) - slice, row, math.min(endRow, other.endRow) - row)
    Option.when(both.slices > 0 && both.rows > 0)(both)
  }
}

/**
 * Stored values of a part of a volume.
 *
 * @param values  slice after slice, each in row-major order
 * @param records what decoding said of each of the slices, one after another; none where they were not decoded for this
 */
final case class Voxels(box: Box, values: Array[Short], records: Array[Byte]) {

  /** A part of it. */
  def cut(part: Box, columns: Int): Voxels = {
    val cut = new Array[Short](Math.multiplyExact(part.slices, part.rows * columns))
    Voxels.copy(this, cut, part, part, columns)
    val size = SliceDecoder.RECORD_BYTES
    val first = part.firstSlice - box.firstSlice
    val ofPart =
      if (records.isEmpty) records
      else java.util.Arrays.copyOfRange(records, size * first, size * (first + part.slices))
    Voxels(part, cut, ofPart)
  }
}

object Voxels {

  /** Copies what is in `part`, which both hold, to its place among the values of a box. */
  private[matrix] def copy(from: Voxels, to: Array[Short], box: Box, part: Box, columns: Int): Unit =
    for (slice <- part.firstSlice until part.endSlice) {
      def place(of: Box) = ((slice - of.firstSlice) * of.rows + part.firstRow - of.firstRow) * columns
      System.arraycopy(from.values, place(from.box), to, place(box), part.rows * columns)
    }
}

/**
 * Boxes of a volume that are put together from parts of it, wherever these are: box i is partition i.
 *
 * @param boxes   any, also such that overlap
 * @param columns of the volume
 */
final case class Boxes(boxes: IndexedSeq[Box], columns: Int) {

  /** What a part of a volume, which no other part overlaps, has of each box. */
  def cut(part: Voxels): Iterator[(Int, Voxels)] = cut(part, part.box)

  /** The same of `own`, a part of the part. */
  def cut(part: Voxels, own: Box): Iterator[(Int, Voxels)] =
    boxes.indices.iterator.flatMap(i => boxes(i).and(own).map(both => i -> part.cut(both, columns)))

  /** The boxes, whole. */
  def assemble(parts: RDD[(Int, Voxels)]): RDD[Voxels] =
    new ShuffledRDD[Int, Voxels, Voxels](parts, new HashPartitioner(boxes.length)) // sends i to partition i
      .mapPartitionsWithIndex((i, arriving) => Iterator.single(assemble(i, arriving.map(_._2))))

  private[matrix] def assemble(i: Int, arriving: Iterator[Voxels]): Voxels = {
    val box = boxes(i)
    val values = new Array[Short](Math.multiplyExact(box.slices, box.rows * columns))
    val size = SliceDecoder.RECORD_BYTES
    var records = Array.emptyByteArray
    var filled = 0L
    for (part <- arriving) {
      Voxels.copy(part, values, box, part.box, columns)
      filled += part.values.length
      if (part.records.nonEmpty) {
        if (records.isEmpty) records = new Array[Byte](size * box.slices)
        System.arraycopy(part.records, 0, records, size * (part.box.firstSlice - box.firstSlice), part.records.length)
      }
    }
    // Parts never overlap: the count is right where every value was filled once.
    if (filled != values.length)
      throw new IllegalStateException(s"$box got $filled of its ${values.length} values")
    Voxels(box, values, records)
  }
}
