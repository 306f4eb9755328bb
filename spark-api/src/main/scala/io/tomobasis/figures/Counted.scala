package io.tomobasis.figures

/**
 * What is counted.
 *
 * @param name  in JSON and among metrics
 * @param title on Spark's pages
 */
sealed abstract class Counted(val name: String, val title: String)

object Counted {

  /** Slices that were decoded. */
  case object Slices extends Counted("slices_decoded", "slices decoded")

  /** Bytes of the input that tasks took from files. */
  case object Bytes extends Counted("bytes_read", "bytes read")

  /** Row blocks that were put together, also those that were made again. */
  case object RowBlocks extends Counted("row_blocks_made", "row blocks made")

  /** Multiply-accumulates of exact sums: of m x n integers, m n (n + 1) / 2; of floats, that for each of their sums. */
  case object Products extends Counted("multiply_accumulates", "multiply-accumulates of exact sums")

  /** Time that cores spent in them. */
  case object Nanoseconds extends Counted("multiply_accumulate_nanoseconds", "nanoseconds in exact sums")

  /** Series of an archive for which a task has made the result, or found that it is there. */
  case object Series extends Counted("series_done", "series done")

  val all: Seq[Counted] = Seq(Slices, Bytes, RowBlocks, Products, Nanoseconds, Series)
}
