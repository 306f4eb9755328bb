package io.tomobasis.job

import scala.jdk.CollectionConverters._

/**
 * The chosen series, as far as the job moves it around.
 *
 * @param files       for each slice in spatial order, the index in the listing of its file
 * @param description the series in one line, for the user
 * @param notes       what was left out of the series and what is unusual about it, for the user
 * @param json        the whole plan, which only native code reads
 */
final case class SeriesPlan(
    layout: Layout,
    files: IndexedSeq[Int],
    description: String,
    notes: IndexedSeq[String],
    json: String
)

object SeriesPlan {
  def parse(json: String): SeriesPlan = {
    val plan = Json.read(json)
    def each(field: String) = plan.get(field).elements.asScala.toIndexedSeq
    val files = each("slices").map(_.get("file").asInt)
    SeriesPlan(
      layout = Layout(Math.multiplyExact(plan.get("rows").asInt, plan.get("columns").asInt), files.length),
      files = files,
      description = plan.get("description").asText,
      notes = (each("left_out") ++ each("warnings")).map(_.get("text").asText),
      json = json
    )
  }
}
