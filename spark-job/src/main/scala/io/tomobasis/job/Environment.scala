package io.tomobasis.job

import org.apache.spark.SparkContext

/** What the manifest records of a run besides its result: versions, sizes and timings, none of which reach a digest. */
object Environment {
  def json(sc: SparkContext, stages: Seq[Stage], decodePartitions: Int, blockPartitions: Int): String = {
    val root = Json.mapper.createObjectNode
    root.put("runner", "spark")
    root.put("spark", sc.version)
    root.put("java", System.getProperty("java.version"))
    root.put("master", sc.master.takeWhile(_ != ':'))
    root.put("cores", sc.defaultParallelism)
    root.put("decode_partitions", decodePartitions)
    root.put("block_partitions", blockPartitions)
    val timings = root.putObject("timings")
    stages.foreach(stage => timings.put(stage.name, stage.seconds))
    Json.mapper.writeValueAsString(root)
  }
}
