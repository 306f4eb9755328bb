package io.tomobasis.job

import com.fasterxml.jackson.databind.JsonNode

import scala.jdk.CollectionConverters._

/**
 * The chosen series, as far as the job moves it around.
 *
 * @param keys        for each slice in spatial order, where it is
 * @param pieces      for each slice, what of a large file is enough for it; none where all is needed
 * @param description the series in one line, for the user
 * @param notes       what was left out of the series and what is unusual about it, for the user
 * @param comparison  what has to be decoded to tell whether copies are copies: each slice, and its copy after it
 * @param json        the whole plan, which only native code reads
 */
final case class SeriesPlan(
    layout: Layout,
    keys: IndexedSeq[SliceKey],
    pieces: IndexedSeq[Option[FilePiece]],
    description: String,
    notes: IndexedSeq[String],
    comparison: Option[SeriesPlan],
    json: String
) {

  /** What the user is told of it. */
  def said: Seq[String] = s"found $description" +: notes
}

object SeriesPlan {
  def parse(json: String): SeriesPlan = parse(Json.read(json), json)

  /** Of a JSON array. */
  def parseAll(json: String): Seq[SeriesPlan] =
    Json.read(json).elements.asScala.map(plan => parse(plan, plan.toString)).toSeq

  private def parse(plan: JsonNode, json: String): SeriesPlan = {
    def each(field: String) = plan.get(field).elements.asScala.toIndexedSeq
    val keys = each("slices").map(slice => SliceKey(slice.get("file").asInt, slice.get("frame").asInt))
    SeriesPlan(
      layout = Layout(Math.multiplyExact(plan.get("rows").asInt, plan.get("columns").asInt), keys.length),
      keys = keys,
      pieces = each("slices").map(slice => Option(slice.get("piece")).filter(_.isObject).map(FilePiece.parse)),
      description = plan.get("description").asText,
      notes = (each("left_out") ++ each("warnings")).map(_.get("text").asText),
      comparison = Option(plan.get("comparison")).map(compared => parse(compared, compared.toString)),
      json = json
    )
  }
}

/** Where a slice is: the place of its file in the listing, and its frame there. */
final case class SliceKey(file: Int, frame: Int)

/** The first `head` bytes of a file, and those from `start` until `end`. */
final case class FilePiece(head: Long, start: Long, end: Long) {

  /** What is enough for both slices. */
  def and(other: FilePiece): FilePiece =
    FilePiece(math.max(head, other.head), math.min(start, other.start), math.max(end, other.end))
}

object FilePiece {
  def parse(json: JsonNode): FilePiece =
    FilePiece(json.get("head").asLong, json.get("start").asLong, json.get("end").asLong)
}
