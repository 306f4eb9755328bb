package io.tomobasis

/**
 * Files on any Hadoop file system; knows of no slices and of no Spark.
 *
 *   - `Listing`: what is under `--input`, as `InputFile`s
 *   - `InputFiles`: parts of them, wherever they are; `ArchiveFiles` and `GzipStream` of those in archives
 *   - `HadoopFiles`, `ObjectStores`: file systems, and what is special about some
 *   - `Faults`: what their exceptions tell
 */
package object io
