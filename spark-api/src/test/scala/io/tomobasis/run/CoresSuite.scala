package io.tomobasis.run

import org.apache.spark.SparkConf
import org.scalatest.funsuite.AnyFunSuite

import io.tomobasis.jni.UsageException

class CoresSuite extends AnyFunSuite {
  private def conf(master: String, more: (String, String)*): SparkConf =
    new SparkConf(false).set("spark.master", master).setAll(more.map { case (name, value) => s"spark.$name" -> value })

  test("a cluster is asked for instances x cores, up to the most of a dynamic allocation") {
    val dynamic = "dynamicAllocation.enabled" -> "true"
    val four = "executor.cores" -> "4"
    val asked = Seq(
      conf("yarn") -> Some(2),
      conf("yarn", "executor.instances" -> "5") -> Some(5),
      conf("k8s://https://x", "executor.instances" -> "3", four) -> Some(12),
      conf("k8s://https://x", four, dynamic, "dynamicAllocation.maxExecutors" -> "10") -> Some(40),
      conf("yarn", four, dynamic, "dynamicAllocation.initialExecutors" -> "3") -> Some(12),
      conf("yarn", four, dynamic) -> Some(0),
      conf("spark://a:7077", "cores.max" -> "6", four) -> Some(6),
      conf("spark://a:7077", four) -> None,
      conf("local-cluster[3, 2, 1024]") -> Some(6)
    )
    for ((conf, cores) <- asked) assert(Cores.asked(conf) == cores, conf.toDebugString)
  }

  test("only a run in the driver's own process needs no cluster") {
    for (master <- Seq("local", "local[2]", "local[*]", "local[2,4]")) assert(Cores.local(conf(master)), master)
    for (master <- Seq("local-cluster[1,1,512]", "yarn", "spark://local:7077", "k8s://x"))
      assert(!Cores.local(conf(master)), master)
  }

  test("executors that come one by one are waited for longer where the first one was slow, and not for ever") {
    assert(Seq(0L, 1500L, 6000L, 600000L).map(Cores.settling) == Seq(1000L, 1000L, 3000L, 5000L))
  }

  test("a number of partitions that is none is refused by the property's name") {
    for (value <- Seq("0", "-4", "many", "1.5", "")) {
      val refused = intercept[UsageException](DefaultParallelism.asked(conf("yarn", "default.parallelism" -> value)))
      assert(refused.getMessage.startsWith("spark.default.parallelism: "), value)
    }
    assert(DefaultParallelism.asked(conf("yarn", "default.parallelism" -> " 8 ")) == Some(8))
    assert(DefaultParallelism.asked(conf("yarn")).isEmpty)
  }
}
