package io.tomobasis

/**
 * The distributed matrix: pixels x slices, in row blocks.
 *
 *   - `SeriesPlan`, `SourceFiles`, `SliceReader`: files to slices, in tasks
 *   - `ColumnSums`: exact sums of rows in an RDD
 *   - `MatrixBlocks`: files of a matrix that is no scan to row blocks
 *   - `RowBlocks`: slices to row blocks, over the one shuffle, cut as `Layout` says
 *   - `ExactGram` or `FixedOrderPasses`, `RenderBlocks`: what is done with row blocks, in executors; `PerExecutor` and
 *     `SharedNatives` share native objects there, `Sealed` and `KernelRegistrator` are about what moves
 */
package object matrix
