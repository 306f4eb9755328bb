package io.tomobasis.run

import com.fasterxml.jackson.databind.JsonNode

import io.tomobasis.matrix.SeriesPlan

/** What a run makes of a series: its decomposition, or the series with less noise. */
trait SeriesWork {

  /** Begins with what the headers told: plans the series, and refuses what its headers speak against. */
  def begin(headers: Headers): SpreadSeries
}

/** A series whose parts are spread over the executors until it is closed. */
trait SpreadSeries extends AutoCloseable {

  /** Its copies compared, bad slices left out. */
  def plan: SeriesPlan

  /** What decoding says of each slice, one after another. Decodes the series. */
  def records: Array[Byte]

  /**
   * Makes the result, but for the commit.
   *
   * @param archive of a series of many, what its manifest says of what it was made of
   */
  def write(result: ResultFolder, archive: Option[JsonNode] = None): Written
}

/**
 * A result folder that is written, but for the manifest, which commits it.
 *
 * @param closing what the user is told
 * @param figures of the run, for its end
 */
final case class Written(root: String, closing: String, figures: String)
