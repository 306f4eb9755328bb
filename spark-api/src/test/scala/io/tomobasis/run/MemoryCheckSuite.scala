package io.tomobasis.run

import org.apache.spark.SparkConf
import org.scalatest.funsuite.AnyFunSuite

import io.tomobasis.jni.{Scratch, UsageException}

class MemoryCheckSuite extends AnyFunSuite {
  private val Mib = 1L << 20

  /** 200 MiB a task, 100 MiB an executor, 50 MiB of heap a task. */
  private val scratch = new Scratch(200 * Mib, 100 * Mib, 50 * Mib, 0)

  private def conf(master: String, settings: (String, String)*) =
    new SparkConf(false).set("spark.master", master).setAll(settings)

  test("an overhead that holds all tasks is silent, and one that does not is reported with the value that would do") {
    val memory = "spark.executor.memory" -> "4g"
    def overhead(value: String) = conf("k8s://x", memory, "spark.executor.memoryOverhead" -> value)
    assert(MemoryCheck.ofExecutors(overhead("1310m"), scratch, 4).isEmpty)
    for (short <- Seq(overhead("700m"), conf("yarn", memory))) {
      val said = MemoryCheck.ofExecutors(short, scratch, 4).get
      assert(said.contains("4 tasks at a time") && said.contains("spark.executor.memoryOverhead"), said)
      assert(said.contains("set it to 1310m"), said) // 410 of the JVM, 900
      assert(!said.contains("\n"), said)
    }
    // Spark's own default where nothing is set, by the factor.
    val factor = conf("yarn", memory, "spark.executor.memoryOverheadFactor" -> "0.4")
    assert(MemoryCheck.ofExecutors(factor, scratch, 4).isEmpty)
    assert(MemoryCheck.ofExecutors(overhead("600m"), scratch, 1).isEmpty)
  }

  test("a container or a heap that cannot hold one task is refused, with the setting and its value") {
    val large = new Scratch(3000 * Mib, 0, 50 * Mib, 0)
    val container = intercept[UsageException](MemoryCheck.ofExecutors(conf("k8s://x"), large, 1))
    assert(container.getMessage.contains("spark.executor.memoryOverhead"), container)
    assert(container.getMessage.contains("set it to 3384m"), container)
    val wide = new Scratch(0, 0, 2000 * Mib, 0)
    val heap = intercept[UsageException](MemoryCheck.ofExecutors(conf("spark://x"), wide, 1))
    assert(heap.getMessage.contains("--conf spark.executor.memory:"), heap)
    assert(heap.getMessage.contains("set it to 4300m"), heap)
  }

  test("workers of a standalone cluster set no limit but the heap") {
    val overhead = "spark.executor.memoryOverhead" -> "1m"
    assert(MemoryCheck.ofExecutors(conf("spark://x", overhead), scratch, 4).isEmpty)
    val said = MemoryCheck.ofExecutors(conf("spark://x", overhead, "spark.executor.memory" -> "480m"), scratch, 4)
    assert(said.exists(line => line.contains("spark.executor.memory is") && line.contains("set it to 700m")), said)
  }

  test("a run of one process is compared with what is free") {
    assert(MemoryCheck.ofThisProcess(scratch, 4, 1000 * Mib).isEmpty)
    val said = MemoryCheck.ofThisProcess(scratch, 4, 600 * Mib)
    assert(said.exists(_.contains("--master local[2]")), said)
    intercept[UsageException](MemoryCheck.ofThisProcess(scratch, 1, 200 * Mib))
  }

  test("what native code needs is larger for more slices") {
    def of(more: String*) = JobConfig.parse(Array("--input", "in", "--output", "out") ++ more) match {
      case Right(config) => Scratch.assumed(config.json, 2)
      case Left(text) => fail(text)
    }
    val all = of()
    val few = of("--rank", "10")
    assert(few.task < all.task && few.driver < all.driver && few.heap < all.heap, s"$few $all")
    assert(all.ofExecutor(3) == all.executor + 3 * all.task)
    assert(Scratch.overheadMiB(8L << 30, 1) == 820)
    assert(Scratch.free > 0)
  }
}
