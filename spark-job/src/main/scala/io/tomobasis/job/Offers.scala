package io.tomobasis.job

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.{SparkConf, SparkContext}
import org.apache.spark.network.util.JavaUtils

import java.net.URI
import java.net.http.{HttpClient, HttpRequest, HttpResponse}
import java.time.Duration

import scala.jdk.CollectionConverters._
import scala.util.Try

import io.tomobasis.run.Json

/**
 * Why a cluster gives no executor, as far as it can be known: what was asked for, and what is free. A standalone master says the latter
 * on its page, which is read if it is where it usually is.
 */
object Offers {
  private final case class Room(cores: Int, megabytes: Long) {
    override def toString: String = s"$cores core${if (cores == 1) "" else "s"} and ${Offers.size(megabytes)}"
  }

  def why(sc: SparkContext): String = {
    val conf = sc.getConf
    val asked = s"executors of ${wanted(conf)} were asked for"
    val LocalCluster = "local-cluster\\[\\s*\\d+\\s*,\\s*(\\d+)\\s*,\\s*(\\d+)\\s*]".r
    conf.get("spark.master") match {
      case LocalCluster(cores, megabytes) => s"$asked, and a worker has ${Room(cores.toInt, megabytes.toLong)}; $Less"
      case master if master.startsWith("spark:") => s"$asked, and ${standalone(conf, master, sc.applicationId)}"
      case "yarn" =>
        s"$asked; yarn application -status ${sc.applicationId} says whether the queue has room, yarn node -list what nodes have; $Less"
      case _ =>
        s"$asked; kubectl describe pods -l spark-role=executor,spark-app-selector=${sc.applicationId} says why there are none"
    }
  }

  private val Less = "ask for less (--executor-cores, --executor-memory), or wait until there is room"

  private def standalone(conf: SparkConf, master: String, application: String): String =
    page(conf, master) match {
      case None => s"what the master at $master offers is not known, since its page does not answer; see its log"
      case Some(page) =>
        val workers = page.get("workers").elements.asScala.filter(_.get("state").asText == "ALIVE").toSeq
        val free = workers.map(worker => Room(worker.get("coresfree").asInt, worker.get("memoryfree").asLong))
        val ended = workers.map(ofOurs(_, application)).sum
        val need = wanted(conf)
        if (ended > 0)
          s"$ended have ended as they started; their stderr, below work/$application on the workers, says why"
        else if (conf.getOption("spark.cores.max").exists(_.toInt < need.cores))
          "spark.cores.max allows fewer cores than one of them has; raise it, or ask for smaller ones (--executor-cores)"
        else if (workers.isEmpty) "no worker is registered with the master"
        else if (free.exists(room => room.cores >= need.cores && room.megabytes >= need.megabytes))
          s"there is room for one; the logs of the master and of the workers say why it does not start"
        else {
          val most = Room(free.map(_.cores).max, free.map(_.megabytes).max)
          s"the most that a worker has free is $most; $Less"
        }
    }

  private def wanted(conf: SparkConf): Room = {
    val cores = conf.getInt("spark.executor.cores", conf.getInt("spark.task.cpus", 1))
    Room(cores, JavaUtils.byteStringAsMb(conf.get("spark.executor.memory", "1g")))
  }

  /** The master's page as JSON, if what answers there is this master. */
  private def page(conf: SparkConf, master: String): Option[JsonNode] = {
    val hosts = master.stripPrefix("spark://").split(',').toSeq.map(_.replaceAll(":\\d+$", ""))
    val port = conf.get("spark.master.ui.port", "8080")
    hosts.flatMap(host => json(s"http://$host:$port/json/")).find { page =>
      master.contains(page.path("url").asText.stripPrefix("spark://")) && page.path("workers").isArray
    }
  }

  /** How many executors of an application have ended on a worker. */
  private def ofOurs(worker: JsonNode, application: String): Int =
    json(s"${worker.get("webuiaddress").asText}/json/").fold(0) { page =>
      page.path("finishedexecutors").elements.asScala.count(_.path("appid").asText == application)
    }

  private def json(uri: String): Option[JsonNode] = Try {
    val client = HttpClient.newBuilder.connectTimeout(Patience).build()
    val answer =
      client.send(HttpRequest.newBuilder(URI.create(uri)).timeout(Patience).build(), HttpResponse.BodyHandlers.ofString)
    Json.read(answer.body)
  }.toOption

  private val Patience = Duration.ofSeconds(2)

  private def size(megabytes: Long): String =
    if (megabytes < 1024) s"$megabytes MiB" else f"${megabytes / 1024.0}%.1f GiB"
}
