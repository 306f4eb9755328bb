package io.tomobasis.run

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}

/** The one JSON mapper of library and job. */
object Json {
  val mapper = new ObjectMapper
  def read(text: String): JsonNode = mapper.readTree(text)
}
