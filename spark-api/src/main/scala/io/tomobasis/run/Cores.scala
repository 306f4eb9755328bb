package io.tomobasis.run

import org.apache.spark.{SparkConf, SparkContext}

import scala.annotation.tailrec

/** The cores of a cluster. Executors register one by one, so a count taken early is too small. */
object Cores {
  private val Local = "local\\b.*".r
  private val LocalCluster = "local-cluster\\[\\s*(\\d+)\\s*,\\s*(\\d+)\\s*,.*".r
  private val PollMillis = 100L
  private val LeastMillis = 1000L
  private val MostMillis = 5000L

  /** Whether the job runs in the driver's own process. */
  def local(conf: SparkConf): Boolean = Local.matches(master(conf)) && !LocalCluster.matches(master(conf))

  /** What the cluster was asked for; none where it gives what it has: a standalone one without `spark.cores.max`. */
  def asked(conf: SparkConf): Option[Int] = master(conf) match {
    case LocalCluster(workers, cores) => Some(workers.toInt * cores.toInt)
    case master if master.startsWith("spark:") => conf.getOption("spark.cores.max").map(_.toInt)
    case _ => Some(Executors.asked(conf) * conf.getInt("spark.executor.cores", 1))
  }

  /** The cores of a run: the larger of what was asked for and what is there. Waits where only the latter is known. */
  def of(sc: SparkContext): Int =
    if (local(sc.getConf)) sc.defaultParallelism
    else
      asked(sc.getConf) match {
        case Some(cores) => math.max(cores, registered(sc))
        case None => settled(sc)
      }

  /** Cores of the driver: those of `local[N]`, else what the machine or its container gives to this JVM. */
  def ofDriver(sc: SparkContext): Int = {
    val cores = Runtime.getRuntime.availableProcessors
    "local\\[(\\d+)".r.findPrefixMatchOf(sc.master).fold(cores)(local => math.min(cores, local.group(1).toInt))
  }

  /** Cores of an executor, as far as it is known; in a run of one process, its own. */
  def ofExecutor(sc: SparkContext): Int = {
    val conf = sc.getConf
    conf.getOption("spark.executor.cores").flatMap(_.toIntOption).filterNot(_ => local(conf)).getOrElse {
      if (local(conf)) sc.defaultParallelism
      else if (asked(conf).isDefined && !master(conf).startsWith("local") && !master(conf).startsWith("spark:")) 1
      else math.max(1, registered(sc) / math.max(1, executors(sc)))
    }
  }

  /** Executors that have registered: all block managers but the driver's. */
  def executors(sc: SparkContext): Int = sc.getExecutorMemoryStatus.size - 1

  private def master(conf: SparkConf): String = conf.get("spark.master")

  /** Of all executors so far; 2 at the least, as Spark counts. */
  private def registered(sc: SparkContext): Int = sc.defaultParallelism

  /**
   * Waits for the first executor, without which nothing can run anyhow, and until no more come. All are launched at one time, and where
   * the first one was slow to start, the others may come later still.
   */
  private def settled(sc: SparkContext): Int = {
    @tailrec def wait(before: (Int, Int), since: Long, patience: Long): Int = {
      if (sc.isStopped) throw new IllegalStateException("Spark has stopped")
      val now = executors(sc) -> registered(sc)
      val changed = if (now == before && now._1 > 0) since else System.nanoTime
      val longest = if (before._1 > 0) patience else settling(System.currentTimeMillis - sc.startTime)
      if (System.nanoTime - changed >= longest * 1000000) now._2
      else {
        Thread.sleep(PollMillis)
        wait(now, changed, longest)
      }
    }
    wait((0, 0), System.nanoTime, LeastMillis)
  }

  /** Milliseconds without another executor after which no more are expected, by what the first one took. */
  private[run] def settling(first: Long): Long = math.min(MostMillis, math.max(LeastMillis, first / 2))
}

/** The executors that a configuration asks for, on YARN and Kubernetes. */
object Executors {
  private val Fixed = 2 // Spark's own default

  def asked(conf: SparkConf): Int = {
    val instances = conf.getOption("spark.executor.instances").map(_.toInt)
    def dynamic(name: String) = conf.getOption(s"spark.dynamicAllocation.$name").map(_.toInt)
    if (conf.getBoolean("spark.dynamicAllocation.enabled", false))
      dynamic("maxExecutors")
        .filter(_ < Int.MaxValue)
        .getOrElse((instances ++ dynamic("minExecutors") ++ dynamic("initialExecutors")).maxOption.getOrElse(0))
    else instances.getOrElse(Fixed)
  }
}
