package io.tomobasis.matrix

import org.apache.spark.rdd.{RDD, ShuffledRDD}

import io.tomobasis.figures.{Counted, Figures}
import io.tomobasis.jni.SliceDecoder

/**
 * The one shuffle: pieces to whole row blocks.
 *
 * A partition knows which blocks it holds and how large they are, so each piece is copied to its place as it arrives, in any order:
 * nothing is sorted, grouped or held twice.
 */
object RowBlocks {

  def assemble(pieces: RDD[(Int, Piece)], layout: Layout, runs: Runs, figures: Figures): RDD[RowBlock] =
    new ShuffledRDD[Int, Piece, Piece](pieces, new BlockPartitioner(runs)).mapPartitionsWithIndex(
      (partition, arriving) => {
        val blocks = assemble(arriving.map(_._2), layout, runs.of(partition))
        figures.add(Counted.RowBlocks, blocks.length.toLong)
        blocks.iterator
      },
      preservesPartitioning = true
    )

  private[matrix] def assemble(pieces: Iterator[Piece], layout: Layout, blocks: Range): Seq[RowBlock] = {
    // All that the partition will hold, made at once: for each block its slices x rows values, and a record for each slice.
    val values = blocks.map(block => new Array[Short](Math.multiplyExact(layout.slices, layout.rows(block))))
    val filled = new Array[Int](blocks.length)
    val checks = new Array[Long](blocks.length) // at most 2^31 of each piece
    val records = blocks.map(_ => new Array[Byte](SliceDecoder.RECORD_BYTES * layout.slices))
    // A piece has consecutive slices of one block, so it is one run of the block's slice-major values.
    for (piece <- pieces) {
      val i = piece.block - blocks.start
      System.arraycopy(piece.values, 0, values(i), piece.firstSlice * layout.rows(piece.block), piece.values.length)
      val at = SliceDecoder.RECORD_BYTES * piece.firstSlice
      System.arraycopy(piece.records, 0, records(i), at, piece.records.length)
      filled(i) += piece.values.length
      checks(i) += piece.check
    }
    // Pieces never overlap: the counts are right where every value was filled once.
    blocks.zipWithIndex.map { case (block, i) =>
      if (filled(i) != values(i).length)
        throw new IllegalStateException(s"row block $block got ${filled(i)} of its ${values(i).length} values")
      RowBlock(block, layout.rows(block), layout.slices, Stored(values(i), checks(i)), records(i))
    }
  }
}
