package io.tomobasis.run

import org.apache.spark.SparkConf
import org.apache.spark.resource.{ExecutorResourceRequests, ResourceProfile, ResourceProfileBuilder}

import scala.util.Try

import io.tomobasis.jni.UsageException

/**
 * Executors of their own for the decoding stage, by Spark's stage-level scheduling: decoding wants cores, the stages after it memory
 * for the row blocks. What is not given is as for the other executors. No result depends on it.
 *
 * Only decoding may have a profile: the row blocks stay in the executors that assembled them, for all stages after it.
 */
object DecodeResources {
  private val Prefix = "spark.tomobasis.decode."
  private val Enabled = "spark.dynamicAllocation.enabled"
  private val Managers = Seq("k8s", "yarn", "spark:")

  /** What the properties `spark.tomobasis.decode.*` ask for. Throws UsageException. */
  def requests(conf: SparkConf): Option[ExecutorResourceRequests] = {
    val asked = conf.getAllWithPrefix(Prefix).toSeq.sorted
    asked.headOption.map { case (first, _) =>
      if (!conf.getBoolean(Enabled, false) || !Managers.exists(conf.get("spark.master").startsWith))
        throw new UsageException(
          s"$Prefix$first: other executors for a stage need $Enabled=true, on Kubernetes, YARN or a standalone cluster"
        )
      asked.foldLeft(new ExecutorResourceRequests)((requests, property) => add(requests, property))
    }
  }

  /** Their profile. Spark numbers profiles as they are made and takes the first for its default: there must be a SparkContext already. */
  def profile(requests: ExecutorResourceRequests): ResourceProfile =
    new ResourceProfileBuilder().require(requests).build()

  private def add(requests: ExecutorResourceRequests, property: (String, String)): ExecutorResourceRequests = {
    val (name, value) = property
    def refuse(what: String) = throw new UsageException(s"$Prefix$name: $what")
    def size(set: String => ExecutorResourceRequests) =
      Try(set(value)).getOrElse(refuse(s"'$value' is not a size; write it as 4g or 500m"))
    name match {
      case "executorCores" =>
        val cores = value.toIntOption.filter(_ > 0)
        requests.cores(cores.getOrElse(refuse(s"'$value' is not a number of cores; give 1 or more")))
      case "executorMemory" => size(requests.memory)
      case "executorMemoryOverhead" => size(requests.memoryOverhead)
      case _ => refuse("no such property; there are executorCores, executorMemory and executorMemoryOverhead")
    }
  }
}
