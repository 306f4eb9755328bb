package io.tomobasis

/**
 * One decomposition, or denoised series, on a SparkContext that is there. Moves bytes and decides where things run; arithmetic,
 * formats and option parsing are native code's, reached through `io.tomobasis.jni`. The `tomobasis` command calls the same code, so that both write the same
 * bits. Nothing here starts or stops Spark, ends the process or prints.
 *
 * This package calls `figures`, `io`, `matrix` and `commit`.
 *
 *   - `Headers`, `SeriesScan`: the input, as far as headers tell; `BlockMaker`: to row blocks
 *   - `Decompose`, `Denoise`: the driver's program, stage by stage, each a `SeriesWork`; `Progress` and `Environment` tell of it,
 *     `Description` on Spark's pages, `RunFigures` in one line
 *   - `SparkRun`: the context while a run uses it; `RunTag` marks its jobs, `Cores` counts what it has, `TaskErrors` brings the user's
 *     errors home
 *   - `EachSeries`: `--series all`, one task (`SeriesTask`) for each series of an archive; `ArchiveFolder` and `SeriesIndex`: its output
 *   - `ResultFolder`, `TaskFolder`: the result, whole or absent, by the package `commit`
 */
package object run
