package io.tomobasis.job

import org.apache.spark.{SparkConf, SparkContext}
import org.apache.spark.scheduler.{SparkListener, SparkListenerStageSubmitted, SparkListenerTaskEnd}
import org.scalatest.funsuite.AnyFunSuite

import java.io.{OutputStream, PrintStream}
import java.nio.file.{Files, Path}
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger

import io.tomobasis.run.TestFolder._
import io.tomobasis.jni.SyntheticCt
import io.tomobasis.run.{FaultyFileSystem, JobConfig, Json}

/** The whole job in this JVM: same bits however it is run. */
class DecomposeJobSuite extends AnyFunSuite {
  private val ct = new SyntheticCt(9, 100, 130, 3) // four row blocks, the last one short

  private def conf(master: String, more: (String, String)*): SparkConf =
    FaultyFileSystem.in(Main.sparkConf()).set("spark.master", master).setAll(more)

  private def run(input: Any, output: Any, conf: SparkConf, more: String*): (String, String) = {
    val args = Array("--input", input.toString, "--output", output.toString) ++ more
    val config = JobConfig.parse(args).toOption.get
    val (_, out, err) = captured((out, err) => DecomposeJob.run(config, conf, out, err))
    (out, err)
  }

  /** Every file of a result but the report and the manifest's account of the run: name and content. */
  private def content(result: Path): Map[String, Seq[Byte]] =
    filesBelow(result)
      .filterNot(Set("report.html", "manifest.json"))
      .map(name => name -> Files.readAllBytes(result.resolve(name)).toSeq)
      .toMap

  private def root(result: Path): String =
    Json.read(Files.readString(result.resolve("manifest.json"))).get("digests").get("root").asText

  test("any master, any number of partitions and any file names give the same bits") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct)
      val shuffled = writeSeries(base.resolve("shuffled"), ct, j => s"${j * 5 % 9}/${100 - j}")
      val ways = Seq(
        ("one", input, conf("local[1]")),
        ("two", input, conf("local[2]")),
        ("single", input, conf("local[2]", "spark.default.parallelism" -> "1")),
        ("three", input, conf("local[2]", "spark.default.parallelism" -> "3")),
        ("many", input, conf("local[2]", "spark.default.parallelism" -> "100")),
        ("names", shuffled, conf("local[2]"))
      )
      for ((name, folder, conf) <- ways) run(folder, base.resolve(name), conf)
      val first = content(base.resolve("one"))
      assert(first.keySet.exists(_.startsWith("basis/part-00003")) && first.contains("_SUCCESS"))
      for ((name, _, _) <- ways) {
        assert(root(base.resolve(name)) == root(base.resolve("one")), name)
        assert(content(base.resolve(name)) == first, name)
      }
    }
  }

  for (
    method <- Seq(
      Seq("--method", "tsqr"),
      Seq("--method", "tsqr", "--center", "--energy", "0.99"),
      Seq("--method", "dssvd", "--rank", "4", "--oversample", "2", "--seed", "5"),
      Seq("--method", "dspca", "--rank", "3", "--power-iterations", "1")
    )
  )
    test(s"${method.mkString(" ")} gives the same bits for any partitions, also when tasks fail once") {
      withFolder { base =>
        val input = writeSeries(base.resolve("in"), ct)
        val ways = Seq("1", "3", "7").map(parts => conf("local[2]", "spark.default.parallelism" -> parts))
        val contents = ways.zipWithIndex.map { case (conf, way) =>
          val (_, err) = run(input, base.resolve(s"$way"), conf, method: _*)
          val passes = method(1) match {
            case "tsqr" => 1
            case "dssvd" => 7
            case "dspca" => 5
          }
          assert(err.contains(s"[3/5] ${method(1).padTo(9, ' ')} ${4 * passes}/${4 * passes} row blocks"), err)
          content(base.resolve(s"$way"))
        }
        FaultyFileSystem.recorded()
        run(s"faulty://once$input", s"faulty://once$base/retried", conf("local[2,4]"), method: _*)
        assert(FaultyFileSystem.faults >= 2)
        assert((contents.tail :+ content(base.resolve("retried"))).forall(_ == contents.head))
        assert(root(base.resolve("retried")) == root(base.resolve("0")))
      }
    }

  test("derived DICOM of a method with passes is the same however the job is cut") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct)
      val options = Seq("--method", "dspca", "--rank", "5", "--emit", "dicom", "--composite", "2,5")
      run(input, base.resolve("one"), conf("local[1]", "spark.default.parallelism" -> "1"), options: _*)
      run(input, base.resolve("many"), conf("local[2]", "spark.default.parallelism" -> "7"), options: _*)
      assert(content(base.resolve("many")) == content(base.resolve("one")))
      assert(content(base.resolve("one")).keySet.count(_.startsWith("dicom/")) == 18)
    }
  }

  for (method <- Seq(Seq("--method", "exact"), Seq("--method", "tsqr")))
    test(
      s"${method.mkString(" ")}: pixels that change before lost row blocks are read again are an error that names the file"
    ) {
      withFolder { base =>
        val input = writeSeries(base.resolve("in"), ct)
        val scratch = Files.createDirectory(base.resolve("scratch"))

        /** All blocks are lost, those in memory and their pieces on disk, and one pixel of the second slice is another one. */
        def lose(): Unit = {
          val file = input.resolve("slice-001.dcm")
          val bytes = Files.readAllBytes(file)
          bytes(bytes.length - 2) = (bytes(bytes.length - 2) ^ 1).toByte
          Files.write(file, bytes)
          SparkContext.getOrCreate().getPersistentRDDs.values.foreach(_.unpersist(blocking = true))
          val pieces = filesBelow(scratch).filter(_.contains("shuffle_"))
          assert(pieces.nonEmpty)
          pieces.foreach(name => Files.delete(scratch.resolve(name)))
        }
        val args = Array("--input", input.toString, "--output", base.resolve("r").toString) ++ method
        val config = JobConfig.parse(args).toOption.get
        // The driver's own line, after s and V and before the blocks are rendered.
        val err = new PrintStream(OutputStream.nullOutputStream) {
          override def println(line: String): Unit = if (line.startsWith("[4/5] decompose")) lose()
        }
        val local = conf("local[2]", "spark.local.dir" -> scratch.toString)
        val error =
          intercept[Exception](DecomposeJob.run(config, local, new PrintStream(OutputStream.nullOutputStream), err))
        val failure = Failure.of(error)
        assert(failure.exitCode == 3, failure)
        assert(
          failure.message.matches("file \\d+ of 11 \\(id [0-9a-f]{8}\\): it is no longer the file that was listed.*"),
          failure
        )
        assert(!Files.exists(base.resolve("r")))
      }
    }

  test("slices that are all the same leave nothing for dspca, which says so and leaves no result") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), new SyntheticCt(1, 100, 130, 3))
      val options = Seq("--method", "dspca", "--rank", "1")
      val failure = Failure.of(intercept[Exception](run(input, base.resolve("r"), conf("local[2]"), options: _*)))
      assert(failure.exitCode == 3 && failure.message.startsWith("--input: all slices are the same"), failure)
      assert(Files.list(base).count == 1)
    }
  }

  test("results that are too much for the driver's limit are an error that names it") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), new SyntheticCt(60, 100, 130, 3)) // 15 KB for each of four row blocks
      val small = conf("local[2]", "spark.driver.maxResultSize" -> "40k")
      val failure = Failure.of(intercept[Exception](run(input, base.resolve("r"), small, "--method", "tsqr")))
      assert(failure.exitCode == 2 && failure.message.contains("spark.driver.maxResultSize"), failure)
      assert(!failure.message.contains("stage"), "said before a task runs")
    }
  }

  test("a file that may not be opened stops a series only where it might be one of its slices") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct)
      run(input, base.resolve("plain"), conf("local[2]"))
      Files.write(input.resolve("locked.dcm"), Array[Byte](1, 2, 3))
      val (_, err) = run(s"faulty://fine$input", base.resolve("beside"), conf("local[2]"))
      assert(err.contains("cannot be opened (permission denied)"), err)
      assert(root(base.resolve("beside")) == root(base.resolve("plain")))
      Files.delete(input.resolve("slice-004.dcm"))
      val thrown = intercept[Exception](run(s"faulty://fine$input", base.resolve("missing"), conf("local[2]")))
      val failure = Failure.of(thrown)
      assert(failure.exitCode == 3 && failure.message.contains("cannot be opened"), failure)
    }
  }

  test("tasks that fail once are repeated and leave no trace in the result") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct)
      run(input, base.resolve("plain"), conf("local[2]"))
      FaultyFileSystem.recorded()
      run(s"faulty://once$input", s"faulty://once$base/retried", conf("local[2,4]"))
      assert(FaultyFileSystem.faults >= 2)
      assert(content(base.resolve("retried")) == content(base.resolve("plain")))
      assert(FaultyFileSystem.recorded().last == "_SUCCESS")
      assert(filesBelow(base).map(_.takeWhile(_ != '/')).distinct == Seq("in", "plain", "retried"))
    }
  }

  test("derived DICOM is the same however the job is cut, also when tasks fail once") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct)
      val dicom = Seq("--emit", "dicom", "--composite", "2,5")
      val (_, err) = run(input, base.resolve("plain"), conf("local[1]", "spark.default.parallelism" -> "1"), dicom: _*)
      assert(err.contains("[5/6] render    4/4 row blocks") && err.contains("[6/6] derive    9/9 steps"), err)
      val plain = content(base.resolve("plain"))
      assert(plain.keySet.count(_.matches("dicom/k=[25]/slice-0000[0-8]\\.dcm")) == 18)
      run(input, base.resolve("many"), conf("local[2]", "spark.default.parallelism" -> "7"), dicom: _*)
      assert(content(base.resolve("many")) == plain)
      FaultyFileSystem.recorded()
      run(s"faulty://once$input", s"faulty://once$base/retried", conf("local[2,4]"), dicom: _*)
      assert(FaultyFileSystem.faults >= 2)
      assert(content(base.resolve("retried")) == plain)
    }
  }

  for (kind <- Seq("zip", "zip-stored", "tar", "tar.gz"))
    test(s"a $kind gives the files that its folder gives, also when tasks fail once") {
      withFolder { base =>
        val input = writeSeries(base.resolve("in"), ct, j => s"${j * 5 % 9}/slice")
        val dicom = Seq("--emit", "parquet,dicom", "--composite", "2")
        run(input, base.resolve("plain"), conf("local[2]"), dicom: _*)
        val archive = pack(input, base.resolve("archive"), kind)
        FaultyFileSystem.recorded()
        val cut = conf("local[2,4]", "spark.default.parallelism" -> "3")
        run(s"faulty://once$archive", base.resolve("packed"), cut, dicom: _*)
        assert(FaultyFileSystem.faults >= 2)
        assert(content(base.resolve("packed")) == content(base.resolve("plain")))
      }
    }

  test("slices of a folder and of archives are one series, bad ones among them skipped") {
    val ct = new SyntheticCt(12, 100, 130, 3)
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct)
      Files.delete(input.resolve("slice-004.dcm"))
      run(input, base.resolve("plain"), conf("local[2]"))
      writeSeries(input, ct)
      val bad = input.resolve("slice-004.dcm")
      Files.write(bad, Files.readAllBytes(bad).dropRight(1000))
      val parts = Seq("folder", "zip", "tar.gz").map(base.resolve)
      parts.foreach(Files.createDirectory(_))
      for ((name, i) <- filesBelow(input).zipWithIndex)
        Files.move(input.resolve(name), parts(i % 3).resolve(name))
      val inputs = parts.head +: parts.tail.map(part =>
        pack(part, base.resolve(s"archive.${part.getFileName}"), part.getFileName.toString)
      )
      val more = inputs.tail.flatMap(Seq("--input", _)).map(_.toString) ++ Seq("--on-bad-slice", "skip")
      val (_, err) =
        run(inputs.head, base.resolve("mixed"), conf("local[2]", "spark.default.parallelism" -> "2"), more: _*)
      assert(err.contains("skipped: file"), err)
      assert(content(base.resolve("mixed")) == content(base.resolve("plain")))
    }
  }

  test("the user is told the series, each stage, the result and the root digest") {
    withFolder { base =>
      val (out, err) = run(writeSeries(base.resolve("in"), ct), base.resolve("result"), conf("local[2]"))
      assert(err.linesIterator.next().startsWith("[1/5] scan"), err)
      for (
        line <- Seq(
          "found 9 slices",
          "[2/5] decode    9/9",
          "[3/5] gram      4/4",
          "[4/5] decompose 1/1",
          "[5/5] render    4/4"
        )
      )
        assert(err.contains(line), err)
      assert(out.contains(root(base.resolve("result"))) && out.contains(base.resolve("result").toString), out)
    }
  }

  test("a file that is shorter than its header says fails the job and leaves nothing") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct)
      val broken = input.resolve("slice-004.dcm")
      Files.write(broken, Files.readAllBytes(broken).dropRight(1000))
      val thrown = intercept[Exception](run(input, base.resolve("result"), conf("local[2]")))
      val failure = Failure.of(thrown)
      assert(failure.exitCode == 3 && failure.message.startsWith("file 7 of 11 (id "), failure.message)
      assert(Files.list(base).count == 1)
    }
  }

  private val excluding = Seq(
    "spark.excludeOnFailure.enabled" -> "true",
    "spark.extraListeners" -> classOf[FailedTasks].getName
  )

  test("bad input is reported at once: no task fails, so none is tried again and no executor taken for broken") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), new SyntheticCt(9, 200, 130, 3)) // more than the scan reads of a file
      val archive = pack(input, base.resolve("archive"), "zip-stored")
      val (bytes, size) = (Files.readAllBytes(archive), Files.size(input.resolve("slice-000.dcm")).toInt)
      for (member <- Seq(4, 6))
        bytes(member * (size + 43) + size - 500) = (~bytes(member * (size + 43) + size - 500)).toByte
      Files.write(archive, bytes)
      FailedTasks.decoding.set(0)
      val thrown = intercept[Exception](run(archive, base.resolve("result"), conf("local[1,4]", excluding: _*)))
      val failure = Failure.of(thrown)
      assert(
        failure.exitCode == 3 && failure.message.matches("file [57] of 11 .*: it is damaged in the archive.*"),
        failure
      )
      assert(FailedTasks.decoding.get == 0 && FailedTasks.decoded.get > 0, "found by a task")
    }
  }

  test("a file that no task can read is named, also where Spark ends the job in its own words") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct)
      // Where the only executor is excluded for the task, Spark ends the job at its first failure.
      for ((more, failures) <- Seq(excluding -> 1, excluding.tail -> 2)) {
        FailedTasks.decoding.set(0)
        val thrown = intercept[Exception](run(s"faulty://gone$input", base.resolve("r"), conf("local[2,4]", more: _*)))
        val failure = Failure.of(thrown)
        assert(failure.exitCode == 3 && failure.message.contains("cannot be read"), failure)
        assert(FailedTasks.decoding.get >= failures, "another try may find it well")
      }
    }
  }

  for (
    options <- Seq(
      Seq("--emit", "parquet,png,report,dicom", "--composite", "2,5", "--on-bad-slice", "skip"),
      Seq("--method", "dssvd", "--rank", "3", "--emit", "dicom", "--composite", "2"),
      Seq("--method", "tsqr")
    )
  )
    test(s"with Kryo's registration required, ${options.mkString(" ")} runs") {
      withFolder { base =>
        val input = writeSeries(base.resolve("in"), ct, j => if (j < 4) s"slice-$j" else s"b/$j")
        val required = "spark.kryo.registrationRequired" -> "true"
        run(input, base.resolve("plain"), conf("local[2]"), options: _*)
        run(input, base.resolve("required"), conf("local[2]", required), options: _*)
        val archive = pack(input, base.resolve("archive"), "tar.gz")
        run(archive, base.resolve("packed"), conf("local[2]", required), options: _*)
        for (name <- Seq("required", "packed"))
          assert(content(base.resolve(name)) == content(base.resolve("plain")), name)
      }
    }

  test("a file that becomes unreadable while the job runs is named by its label") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct)
      FaultyFileSystem.recorded()
      val thrown = intercept[Exception](run(s"faulty://once$input", base.resolve("result"), conf("local[1]")))
      val failure = Failure.of(thrown)
      assert(
        failure.exitCode == 3 && failure.message.matches("file \\d+ of 11 \\(id .*cannot be read \\(IO.*")
      )
      assert(!failure.message.contains(".dcm"))
      assert(Files.list(base).count == 1)
    }
  }

  test("a result is replaced with --overwrite") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct)
      run(input, base.resolve("result"), conf("local[2]"), "--rank", "2")
      val before = root(base.resolve("result"))
      run(input, base.resolve("result"), conf("local[2]"), "--rank", "3", "--overwrite")
      assert(root(base.resolve("result")) != before)
    }
  }

  test("without parquet there are no tables, and the root digest is the same") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct)
      run(input, base.resolve("all"), conf("local[2]"))
      run(input, base.resolve("report"), conf("local[2]"), "--emit", "report")
      assert(filesBelow(base.resolve("report")) == Seq("_SUCCESS", "manifest.json", "report.html"))
      assert(root(base.resolve("report")) == root(base.resolve("all")))
    }
  }
}

/** Counts tasks that decode slices: those that failed, and all. */
class FailedTasks extends SparkListener {
  private val stages = ConcurrentHashMap.newKeySet[Int]
  override def onStageSubmitted(event: SparkListenerStageSubmitted): Unit =
    if (event.stageInfo.name.startsWith("decode")) {
      stages.add(event.stageInfo.stageId)
      ()
    }
  override def onTaskEnd(event: SparkListenerTaskEnd): Unit = if (stages.contains(event.stageId)) {
    FailedTasks.decoded.incrementAndGet()
    if (!event.taskInfo.successful && !event.taskInfo.killed) FailedTasks.decoding.incrementAndGet()
    ()
  }
}

object FailedTasks {
  val decoded = new AtomicInteger
  val decoding = new AtomicInteger
}
