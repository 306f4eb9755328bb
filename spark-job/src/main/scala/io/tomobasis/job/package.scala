package io.tomobasis

/**
 * The Spark job: moves bytes and decides where things run. Arithmetic, formats and option parsing are native code's, reached through
 * `io.tomobasis.jni`; the `tomobasis` command calls the same code, so that both write the same bits.
 *
 * In the order of the data:
 *
 *   - `Main`, `JobConfig`, `Failure`: command line in, exit code and one line out
 *   - `DecomposeJob`: the driver's program, stage by stage; `Progress` and `Environment` tell of it
 *   - `Cluster`: Spark while a run uses it; `Cores` counts what it has, `Waiting` and `Offers` say what it lacks, `TaskErrors`
 *     brings the user's errors home
 *   - `Listing`, `SeriesScan`, `SeriesPlan`: files to a series, on the driver
 *   - `SourceFiles`, `SliceReader`, `RowBlocks`: slices to row blocks, over the one shuffle, cut as `Layout` says
 *   - `ExactGram` or `FixedOrderPasses`, `RenderBlocks`, `DerivedDicom`: what is done with row blocks, in executors; `PerExecutor`
 *     shares native objects there
 *   - `ResultFolder`, `TaskFolder`: the result, whole or absent, by the package `commit`
 *   - `HadoopFiles`, `KernelRegistrator`: how files are read, how blocks are serialised
 */
package object job
