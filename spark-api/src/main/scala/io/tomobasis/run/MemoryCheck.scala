package io.tomobasis.run

import org.apache.spark.{SparkConf, SparkContext}

import scala.util.Try

import io.tomobasis.jni.{Scratch, UsageException}

/**
 * Memory of executors and driver against what a run needs of it, once the size of the matrix is known and before a task works on it. What
 * cannot work is refused, with the setting and a value; what may end with a killed executor is reported in one line.
 *
 * On Kubernetes and YARN a process has its heap and the overhead, and is killed beyond. Elsewhere Spark sets no limit but the heap, so
 * only that is looked at, and in a run of one process what this machine has free.
 */
object MemoryCheck {
  private val Mib = 1L << 20
  private val Memory = "spark.executor.memory"
  private val Overhead = "spark.executor.memoryOverhead"
  private val Containers = Seq("k8s", "yarn")

  /** What Spark itself keeps of a heap. */
  private val Reserved = 300 * Mib

  /** Throws UsageException for what cannot work. */
  def check(sc: SparkContext, scratch: Scratch, say: String => Unit): Unit = {
    val conf = sc.getConf
    val tasks = math.max(1, Cores.ofExecutor(sc) / math.max(1, conf.getInt("spark.task.cpus", 1)))
    if (Cores.local(conf)) ofThisProcess(scratch, tasks, Scratch.free).foreach(say)
    else ofExecutors(conf, scratch, tasks).foreach(say)
  }

  /** Of a run in one process, in which so many bytes are free. */
  private[run] def ofThisProcess(scratch: Scratch, tasks: Int, free: Long): Option[String] = {
    val (one, all) = (scratch.ofExecutor(1), scratch.ofExecutor(tasks))
    if (one > free)
      throw new UsageException(
        s"--master: a task needs ${size(one)} outside the Java heap, and this machine or its container has ${size(free)} " +
          "left; run on a cluster, or give a smaller --rank"
      )
    Option.when(all > free) {
      val fitting = math.max(1, ((free - scratch.executor) / math.max(1, scratch.task)).toInt)
      s"memory: $tasks tasks at a time need about ${size(all)} outside the Java heap, and ${size(free)} are left; " +
        s"give --master local[$fitting]"
    }
  }

  private[run] def ofExecutors(conf: SparkConf, scratch: Scratch, tasks: Int): Option[String] = {
    val heap = Math.max(1L, bytes(conf, Memory).getOrElse(1024 * Mib))
    if (scratch.heap > heap)
      throw new UsageException(
        s"--conf $Memory: a task needs ${size(scratch.heap)} of Java heap, and an executor has ${size(heap)}; " +
          s"set it to ${mib(Reserved + 2 * scratch.heap)}m"
      )
    val container = Option.when(Containers.exists(conf.get("spark.master").startsWith))(overhead(conf, heap))
    if (container.exists(_ + heap < scratch.ofExecutor(1)))
      throw new UsageException(
        s"--conf $Overhead: a task needs ${size(scratch.ofExecutor(1))} outside the Java heap, and an executor has " +
          s"${size(container.get + heap)} in all; set it to ${Scratch.overheadMiB(heap, scratch.ofExecutor(1))}m"
      )
    // The JVM's own share is a tenth at the least; a half of it is what it takes for certain.
    val needed = scratch.ofExecutor(tasks)
    val wanted = Scratch.overheadMiB(heap, needed) * Mib
    container
      .filter(_ < (wanted - needed) / 2 + needed)
      .map { has =>
        s"memory: ${need(tasks)} about ${size(needed)} outside the Java heap, and $Overhead " +
          s"is ${size(has)}; set it to ${wanted / Mib}m" + fewer(tasks)
      }
      .orElse(Option.when(heap - Reserved < tasks * scratch.heap) {
        s"memory: ${need(tasks)} about ${size(tasks * scratch.heap)} of Java heap, and $Memory " +
          s"is ${size(heap)}; set it to ${mib(Reserved + 2 * tasks * scratch.heap)}m" + fewer(tasks)
      })
  }

  private def need(tasks: Int): String =
    if (tasks == 1) "a task on an executor needs" else s"$tasks tasks at a time on an executor need"

  private def fewer(tasks: Int): String = if (tasks == 1) "" else ", or spark.executor.cores to less"

  /** What a container has beside the heap: what is set, else what Spark makes of it. */
  private def overhead(conf: SparkConf, heap: Long): Long = bytes(conf, Overhead).getOrElse {
    val kubernetes = Option.when(conf.get("spark.master").startsWith("k8s"))("spark.kubernetes.memoryOverheadFactor")
    val factors = (Seq(s"${Overhead}Factor") ++ kubernetes).flatMap(conf.getOption).flatMap(_.toDoubleOption)
    val factor = factors.headOption.getOrElse(0.1)
    val least = bytes(conf, "spark.executor.minMemoryOverhead").getOrElse(384 * Mib)
    math.max(least, (heap * factor).toLong)
  }

  /** A size that Spark counts in MiB; none where it cannot be read, of which Spark speaks itself. */
  private def bytes(conf: SparkConf, key: String): Option[Long] =
    if (conf.contains(key)) Try(conf.getSizeAsMb(key) * Mib).toOption else None

  private def mib(bytes: Long): Long = (bytes + Mib - 1) / Mib

  private def size(bytes: Long): String =
    if (bytes < 1000000000L) s"${bytes / 1000000} MB" else f"${bytes / 1e9}%.2f GB"
}
