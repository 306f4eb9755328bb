package io.tomobasis

/**
 * How a result gets its name: `docs/format.md`, "How a result is committed", as code.
 *
 *   - `CommitStore`: the few operations that a commit asks of a store; `HadoopStore` is any Hadoop file system
 *   - `Commit`: the steps; `CommitByRename` where a folder is renamed in one step, `CommitByManifest` where it is not
 *   - `PartFiles`: how tasks write
 *
 * Nothing here knows of Spark or of what is in the files, so that `CommitSimulator` in the tests runs this code, and no other, over a
 * store of its own, with pauses, crashes and late writers.
 */
package object commit
