package io.tomobasis.job

import org.apache.spark.SparkContext

/** The manifest's section `run`: engine, versions, sizes, and seconds of each stage. None of it reaches a digest. */
object Environment {
  def json(sc: SparkContext, stages: Seq[Stage], decodePartitions: Int, blockPartitions: Int): String = {
    val root = Json.mapper.createObjectNode
    root.put("engine", s"Spark ${sc.version}")
    root.put("threads", sc.defaultParallelism)
    root.put("java", System.getProperty("java.version"))
    root.put("master", sc.master.takeWhile(_ != ':'))
    root.put("decode_partitions", decodePartitions)
    root.put("block_partitions", blockPartitions)
    val timings = root.putObject("timings")
    stages.foreach(stage => timings.put(stage.name, stage.seconds))
    Json.mapper.writeValueAsString(root)
  }
}
