package io.tomobasis.run

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import org.apache.spark.SparkContext

/** The manifest's section `run`: which, runner, versions, sizes, and seconds of each stage. None of it reaches a digest. */
object Environment {
  def json(
      sc: SparkContext,
      stages: Seq[Stage],
      decodePartitions: Int,
      blockPartitions: Int,
      result: ResultFolder,
      archive: Option[JsonNode]
  ): String = {
    val root = Json.mapper.createObjectNode
    root.put("id", result.runId)
    if (result.folder.nonEmpty) root.put("folder", result.folder)
    root.put("runner", s"spark ${sc.version}")
    root.put("cores", sc.defaultParallelism)
    root.put("java", System.getProperty("java.version"))
    root.put("master", sc.master.takeWhile(_ != ':'))
    root.put("decode_partitions", decodePartitions)
    root.put("block_partitions", blockPartitions)
    val timings = root.putObject("timings")
    stages.foreach(stage => timings.put(stage.name, (stage.seconds * 1e3).round / 1e3))
    archive.foreach(section => root.setAll[ObjectNode](section.asInstanceOf[ObjectNode]))
    Json.mapper.writeValueAsString(root)
  }
}
