package io.tomobasis.run

import com.fasterxml.jackson.databind.node.ObjectNode

import scala.jdk.CollectionConverters._

import io.tomobasis.jni.AllSeries

/**
 * The rows of an archive's index, one for each series, on the driver. Any thread may change and write them.
 *
 * @param found as `Inventory.visit` gives them
 */
final class SeriesIndex(folder: ArchiveFolder, found: Seq[String]) {
  private val rows = found.map(row => Json.read(row).asInstanceOf[ObjectNode]).toArray
  private var changed = true

  /** Takes over what an earlier run has done with these options: it is there until its series is looked at again. */
  def takeOver(options: String): Unit = synchronized {
    for (index <- folder.index) {
      val known = Json.read(AllSeries.takeOver(json, index, folder.names.toArray, options)).elements.asScala
      for ((row, place) <- known.zipWithIndex) rows(place).setAll[ObjectNode](row.asInstanceOf[ObjectNode])
    }
  }

  /** Takes what became of a series. */
  def update(place: Int, fields: ObjectNode): Unit = synchronized {
    rows(place).setAll[ObjectNode](fields)
    changed = true
  }

  /** How many are in a state. */
  def count(state: String): Int = synchronized(rows.count(_.get("state").asText == state))

  /** The id of a series, as listings show it. */
  def id(place: Int): String = synchronized(rows(place).get("series").asText)

  def json: String = synchronized(Json.mapper.createArrayNode.addAll(rows.toSeq.asJava).toString)

  /** Writes the index where rows have changed. */
  def write(): Unit = synchronized {
    if (changed) folder.writeIndex(AllSeries.index(json))
    changed = false
  }
}
