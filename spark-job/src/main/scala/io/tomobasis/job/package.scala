package io.tomobasis

/**
 * The Spark job: the program around the library, for spark-submit. It starts Spark, runs one decomposition with a result folder and
 * stops; nothing of a decomposition is here.
 *
 *   - `Main`, `Program`, `Failure`, `TerminationMessage`: command line in, exit code and one line out
 *   - `DecomposeJob`: the run, and what fails before Spark starts
 *   - `Cluster`: Spark for one run; `Waiting` and `Offers` say what it lacks
 */
package object job
