package io.tomobasis

/**
 * What runs have done, in figures: counted where it is done, by tasks, and told in three ways. Named accumulators bring the counts of a
 * run's tasks to the driver, to Spark's pages and into its event log; `Totals` are those of a whole process, for metrics; `Figures` has
 * both ends of it.
 *
 * Work that a task repeats counts again, and work of tasks that fail does not count in accumulators. No figure reaches a digest.
 */
package object figures
