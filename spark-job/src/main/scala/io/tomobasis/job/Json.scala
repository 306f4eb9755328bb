package io.tomobasis.job

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}

/** The one JSON mapper of the job. */
private[job] object Json {
  val mapper = new ObjectMapper
  def read(text: String): JsonNode = mapper.readTree(text)
}
