package io.tomobasis.job

/**
 * A row block of the matrix: all slices of a run of pixels, what every kernel works on.
 *
 * @param index   of the block, from 0; never depends on partitioning
 * @param rows    pixels in this block: 4096, fewer in the last one
 * @param columns slices n
 * @param values  stored integers, slice-major: pixel i of slice j is at `j * rows + i`
 * @param records what decoding said of each slice, as SliceDecoder returns it, in block 0; empty in the others
 */
final case class RowBlock(index: Int, rows: Int, columns: Int, values: Array[Short], records: Array[Byte])

/**
 * What one decoding task contributes to one row block: the pixels of a run of consecutive slices.
 *
 * @param values  slice-major, as they stand in the block from `firstSlice * rows` on
 * @param records what decoding said of each of these slices for block 0; empty otherwise
 */
final case class Piece(block: Int, firstSlice: Int, values: Array[Short], records: Array[Byte])
