package io.tomobasis.run

import org.apache.spark.SparkConf
import org.scalatest.funsuite.AnyFunSuite

import io.tomobasis.jni.UsageException

class DecodeResourcesSuite extends AnyFunSuite {
  private def conf(master: String, more: (String, String)*): SparkConf =
    new SparkConf(false)
      .set("spark.master", master)
      .set("spark.dynamicAllocation.enabled", "true")
      .setAll(more.map { case (name, value) => s"spark.tomobasis.decode.$name" -> value })

  private def refused(conf: SparkConf): String = intercept[UsageException](DecodeResources.requests(conf)).getMessage

  test("properties become requests, and without any there are none") {
    assert(DecodeResources.requests(conf("k8s://https://x")).isEmpty)
    assert(DecodeResources.requests(conf("local[2]")).isEmpty)
    val asked = Seq("executorCores" -> "4", "executorMemory" -> "2g", "executorMemoryOverhead" -> "500m")
    val requests = DecodeResources.requests(conf("k8s://https://x", asked: _*)).get
    assert(
      requests.requests.view.mapValues(_.amount).toMap == Map(
        "cores" -> 4,
        "memory" -> 2048,
        "memoryOverhead" -> 500
      )
    )
  }

  test("what is not a size, no number or no property is refused by its name") {
    def message(property: (String, String)) = refused(conf("yarn", property))
    for (value <- Seq("0", "-1", "two", "1.5", ""))
      assert(message("executorCores" -> value).startsWith("spark.tomobasis.decode.executorCores: "), value)
    assert(message("executorMemory" -> "much").startsWith("spark.tomobasis.decode.executorMemory: "))
    assert(message("executorMemoryOverhead" -> "").startsWith("spark.tomobasis.decode.executorMemoryOverhead: "))
    assert(message("cores" -> "2").contains("spark.tomobasis.decode.cores: no such property"))
  }

  test("where Spark cannot start other executors for a stage, it is reported before Spark starts") {
    val asked = "executorCores" -> "2"
    assert(refused(conf("local[2]", asked)).contains("Kubernetes"))
    assert(
      refused(conf("k8s://x", asked).set("spark.dynamicAllocation.enabled", "false")).contains("dynamicAllocation")
    )
  }
}
