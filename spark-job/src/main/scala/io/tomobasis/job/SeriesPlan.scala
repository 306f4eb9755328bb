package io.tomobasis.job

import scala.jdk.CollectionConverters._

/**
 * The chosen series, as far as the job moves it around.
 *
 * @param files       for each slice in spatial order, the index in the listing of its file
 * @param description one line for people
 * @param json        the whole plan, which only native code reads
 */
final case class SeriesPlan(layout: Layout, files: IndexedSeq[Int], description: String, json: String)

object SeriesPlan {
  def parse(json: String): SeriesPlan = {
    val plan = Json.read(json)
    val files = plan.get("slices").elements.asScala.map(_.get("file").asInt).toIndexedSeq
    val pixels = Math.multiplyExact(plan.get("rows").asInt, plan.get("columns").asInt)
    SeriesPlan(Layout(pixels, files.length), files, plan.get("description").asText, json)
  }
}
