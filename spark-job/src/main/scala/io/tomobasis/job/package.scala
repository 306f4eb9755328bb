package io.tomobasis

/**
 * The Spark job: moves bytes and decides where things run. Arithmetic, formats and option parsing are native code's, reached through
 * `io.tomobasis.jni`; the `tomobasis` command calls the same code, so that both write the same bits.
 *
 * This package is the driver's program, and calls the others: `io`, `matrix`, `commit`.
 *
 *   - `Main`, `JobConfig`, `Failure`: command line in, exit code and one line out
 *   - `DecomposeJob`: the driver's program, stage by stage; `Progress` and `Environment` tell of it
 *   - `Cluster`: Spark while a run uses it; `Cores` counts what it has, `Waiting` and `Offers` say what it lacks, `TaskErrors`
 *     brings the user's errors home
 *   - `SeriesScan`: headers to series, on the driver
 *   - `ResultFolder`, `TaskFolder`: the result, whole or absent, by the package `commit`
 */
package object job
