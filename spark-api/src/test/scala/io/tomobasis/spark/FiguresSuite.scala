package io.tomobasis.spark

import org.apache.logging.log4j.{Level, LogManager}
import org.apache.logging.log4j.core.{LogEvent, Logger}
import org.apache.logging.log4j.core.appender.AbstractAppender
import org.apache.logging.log4j.core.config.Property
import org.apache.spark.scheduler.{SparkListener, SparkListenerJobStart, SparkListenerStageCompleted}
import org.apache.spark.sql.SparkSession
import org.scalatest.funsuite.AnyFunSuite

import java.net.URI
import java.net.http.{HttpClient, HttpRequest, HttpResponse}
import java.util.concurrent.ConcurrentLinkedQueue

import scala.jdk.CollectionConverters._
import scala.util.Using

import TestSession.withSession
import io.tomobasis.figures.{Counted, Figures, LargestAccumulator, Totals}
import io.tomobasis.jni.SyntheticCt
import io.tomobasis.run.Json
import io.tomobasis.run.TestFolder.{withFolder, writeSeries}

/** What people see of a run: descriptions of its jobs, accumulators, metrics, and one line of JSON; and the session as it was. */
class FiguresSuite extends AnyFunSuite {
  private val ct = new SyntheticCt(9, 100, 130, 3) // four row blocks, the last one short
  private val products = 13000L * (9 * 10 / 2)
  private val options = Map("rank" -> "4").asJava

  /** Descriptions of jobs and the last values of accumulators. */
  private final class Seen extends SparkListener {
    val jobs = new ConcurrentLinkedQueue[String]
    val values = new java.util.concurrent.ConcurrentHashMap[String, String]
    override def onJobStart(event: SparkListenerJobStart): Unit = {
      jobs.add(String.valueOf(event.properties.getProperty("spark.job.description")))
      ()
    }
    override def onStageCompleted(event: SparkListenerStageCompleted): Unit =
      for (one <- event.stageInfo.accumulables.values; name <- one.name; value <- one.value)
        values.put(name, value.toString)
  }

  /** Runs with a listener, which has heard everything when it is returned. */
  private def heard(spark: SparkSession)(body: => Unit): Seen = {
    val seen = new Seen
    spark.sparkContext.addSparkListener(seen)
    body
    // Events come in their order: once those of one more job are there, so are all before it.
    spark.sparkContext.setJobDescription("the last")
    spark.sparkContext.parallelize(Seq(1), 1).count()
    spark.sparkContext.setJobDescription(null)
    val end = System.nanoTime + 20000000000L
    while (!seen.jobs.contains("the last") && System.nanoTime < end) Thread.sleep(20)
    spark.sparkContext.removeSparkListener(seen)
    seen
  }

  /** The lines that the logger of figures gets. */
  private def logged(body: => Unit): Seq[String] = {
    val lines = new ConcurrentLinkedQueue[String]
    val keeper = new AbstractAppender("kept", null, null, false, Property.EMPTY_ARRAY) {
      override def append(event: LogEvent): Unit = {
        lines.add(event.getMessage.getFormattedMessage)
        ()
      }
    }
    keeper.start()
    val logger = LogManager.getLogger("io.tomobasis.figures").asInstanceOf[Logger]
    val before = logger.getLevel
    logger.setLevel(Level.INFO)
    logger.addAppender(keeper)
    try body
    finally {
      logger.removeAppender(keeper)
      logger.setLevel(before)
    }
    lines.asScala.toSeq
  }

  test("jobs are described, what the user says of jobs stays in front, and is there again afterward") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct).toString
      withSession() { spark =>
        val sc = spark.sparkContext
        def run() = Using.resource(TomoBasis.decompose(spark, input, options))(_.root)
        val plain = heard(spark)(run())
        assert(sc.getLocalProperty("spark.job.description") == null && sc.getLocalProperty("callSite.short") == null)
        val described = plain.jobs.asScala.toSeq.init
        assert(described.length >= 2 && described.forall(_.startsWith("TomoBasis: ")), described)
        assert(described.exists(_.matches("TomoBasis: \\w+ row blocks \\(3 of 5\\)")), described)
        assert(described.contains("TomoBasis: digests of the basis vectors"))
        sc.setJobDescription("nightly")
        sc.setJobGroup("mine", "nightly")
        val within = heard(spark) {
          run()
          assert(sc.getLocalProperty("spark.job.description") == "nightly")
          assert(sc.getLocalProperty("spark.jobGroup.id") == "mine")
        }
        val ours = within.jobs.asScala.toSeq.init
        assert(ours.nonEmpty && ours.forall(_.matches("nightly \\(TomoBasis: .*\\)")), ours)
        sc.clearJobGroup()
      }
    }
  }

  test("accumulators and the line of JSON have the figures of the run, and name nothing of the scan") {
    withFolder { base =>
      val input = writeSeries(base.resolve("DOE"), ct).toString
      withSession() { spark =>
        var lines = Seq.empty[String]
        val seen = heard(spark) {
          lines = logged(TomoBasis.decompose(spark, input, options).close())
        }
        val values = seen.values.asScala
        assert(values("TomoBasis: slices decoded") == "9")
        assert(values("TomoBasis: row blocks made") == "4")
        assert(values("TomoBasis: multiply-accumulates of exact sums") == products.toString)
        assert(lines.length == 1, lines)
        val line = Json.read(lines.head)
        assert(line.get("run").asText == "decompose" && line.get("spark").asText == spark.version)
        assert(line.get("rows").asLong == 13000 && line.get("columns").asInt == 9 && line.get("rank").asInt == 4)
        assert(line.get("slices_decoded").asInt == 9 && line.get("multiply_accumulates").asLong == products)
        assert(line.get("row_blocks").asInt == 4 && line.get("row_blocks_made_again").asInt == 0)
        val size = (0 until 9).map(ct.file(_).length.toLong).sum
        assert(line.get("bytes_read").asLong == size)
        assert(line.get("gmac_per_second_and_core").asDouble > 0)
        assert(line.get("native_memory_peak_bytes").asLong > 0)
        assert(line.get("stages").size == 4 && line.get("seconds").asDouble > 0)
        assert(!lines.head.contains("DOE") && !lines.head.contains(base.toString), lines.head)
      }
    }
  }

  test("a matrix counts bytes and row blocks, and each of its sums") {
    withFolder { base =>
      withSession() { spark =>
        val file = base.resolve("a.csv")
        val rows = (0 until 5000).map(i => s"${i * 0.25},${i % 7},${1.0 / (i + 3)}")
        java.nio.file.Files.writeString(file, rows.mkString("", "\n", "\n"))
        val lines = logged {
          TomoBasis.decompose(spark, file.toString, Map("input-format" -> "text").asJava).close()
        }
        val line = Json.read(lines.head)
        assert(line.get("input").asText == "matrix" && line.get("row_blocks_made").asInt == 2)
        assert(line.get("bytes_read").asLong >= java.nio.file.Files.size(file))
        val once = 5000L * (3 * 4 / 2)
        val all = line.get("multiply_accumulates").asLong
        assert(all > once && all % once == 0, "floats have several sums")
      }
    }
  }

  test("Spark's Prometheus page has the metrics, where the plugin is asked for") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct).toString
      val sink = "spark.metrics.conf.*.sink.prometheusServlet"
      val settings = Seq(
        "spark.plugins" -> classOf[TomoBasisPlugin].getName,
        "spark.ui.enabled" -> "true",
        "spark.ui.port" -> "0",
        s"$sink.class" -> "org.apache.spark.metrics.sink.PrometheusServlet",
        s"$sink.path" -> "/metrics/prometheus"
      )
      withSession(settings: _*) { spark =>
        def page(): String = {
          val uri = URI.create(spark.sparkContext.uiWebUrl.get + "/metrics/prometheus/")
          HttpClient.newHttpClient
            .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString)
            .body
        }
        def value(page: String, name: String): Double = {
          val Line = (s"metrics_\\S*_driver_plugin_io_tomobasis_spark_TomoBasisPlugin_${name}_(?:Number|Value)" +
            "\\{[^}]*\\} (\\S+)").r
          Line.findFirstMatchIn(page).map(_.group(1).toDouble).getOrElse(fail(s"no $name in\n$page"))
        }
        val before = page()
        TomoBasis.decompose(spark, input, options).close()
        val after = page()
        for (
          kind <- Seq("tasks", "runs"); (name, count) <- Seq("slices_decoded" -> 9L, "multiply_accumulates" -> products)
        )
          assert(value(after, s"${kind}_$name") - value(before, s"${kind}_$name") == count.toDouble, s"$kind $name")
        assert(value(after, "runs_gmac_per_second_and_core") > 0)
        assert(value(after, "native_memory_peak_bytes") > 0)
        assert(value(after, "native_memory_bytes") <= value(after, "native_memory_peak_bytes"))
      }
    }
  }

  test("figures of runs that have ended stay in the process's, once") {
    withSession() { spark =>
      val before = Totals.ofRuns(Counted.Series)
      val figures = Figures.open(spark.sparkContext)
      figures.add(Counted.Series, 3)
      assert(Totals.ofRuns(Counted.Series) == before + 3)
      figures.close()
      figures.close()
      assert(Totals.ofRuns(Counted.Series) == before + 3)
    }
  }

  test("the largest of all numbers does not depend on the order of tasks") {
    val (one, other) = (new LargestAccumulator, new LargestAccumulator)
    one.add(5)
    other.add(7)
    val both = one.copy()
    both.merge(other)
    other.merge(one)
    assert(both.value == 7 && other.value == 7 && one.value == 5 && !one.isZero)
    one.reset()
    assert(one.isZero)
    assert(Figures.rate(10, 0) == 0 && Figures.rate(10, 5) == 2)
  }
}
