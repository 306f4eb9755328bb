package io.tomobasis.matrix

import org.apache.spark.SparkContext
import org.apache.spark.resource.ResourceProfile

import io.tomobasis.figures.Figures

/**
 * What the stages need of Spark.
 *
 * @param badInput where tasks leave it
 * @param decoding executors of their own for decoding, where they were asked for
 * @param figures  where tasks count what they do
 * @param natives  what its tasks share
 */
final case class Workers(
    context: SparkContext,
    badInput: BadInput,
    decoding: Option[ResourceProfile],
    figures: Figures,
    natives: SharedNatives
)
