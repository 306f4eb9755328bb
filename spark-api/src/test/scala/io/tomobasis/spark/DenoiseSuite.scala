package io.tomobasis.spark

import org.apache.spark.sql.{DataFrame, Row}
import org.scalatest.funsuite.AnyFunSuite

import java.nio.{ByteBuffer, ByteOrder}
import java.nio.file.{Files, Path}
import java.util.{Map => JavaMap}

import scala.jdk.CollectionConverters._
import scala.util.Using

import TestSession.withSession
import io.tomobasis.jni.{InputException, SyntheticCt, UsageException}
import io.tomobasis.matrix.KernelRegistrator
import io.tomobasis.run.Json
import io.tomobasis.run.TestFolder.{filesBelow, withFolder, writeSeries}

/** Denoising on sessions that are there: the job's bits, and the session as it was. */
class DenoiseSuite extends AnyFunSuite {
  private val ct = new SyntheticCt(12, 80, 40, 5)
  private def options(all: (String, String)*): JavaMap[String, String] = all.toMap.asJava

  private val registered = Seq(
    "spark.serializer" -> "org.apache.spark.serializer.KryoSerializer",
    "spark.kryo.registrationRequired" -> "true",
    "spark.kryo.registrator" -> classOf[KernelRegistrator].getName
  )

  private def manifest(folder: Path) = Json.read(Files.readString(folder.resolve("manifest.json")))

  /** Stored values of each slice, in their order. */
  private def pixels(slices: DataFrame): Seq[Seq[Short]] =
    slices.select("slice", "pixels").collect().toSeq.sortBy(_.getInt(0)).map { row =>
      val bytes = ByteBuffer.wrap(row.getAs[Array[Byte]](1)).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer
      Seq.fill(bytes.remaining)(bytes.get)
    }

  test("slices are those of the folder, in the columns of the data source, with any serializer and partitions") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct).toString
      val all =
        for ((settings, way) <- Seq(Nil, registered :+ "spark.default.parallelism" -> "3").zipWithIndex)
          yield withSession(settings: _*) { spark =>
            val folder = base.resolve(s"$way")
            Using.resource(TomoBasis.denoise(spark, input, options("output" -> folder.toString))) { written =>
              assert(filesBelow(folder).count(_.startsWith("dicom/")) == 12 && filesBelow(folder).contains("_SUCCESS"))
              assert(written.output.contains(folder.toString))
              assert(written.digest.contains(manifest(folder).get("digests").get("denoised").asText))
              Using.resource(TomoBasis.denoise(spark, input)) { held =>
                assert(held.output.isEmpty && held.digest.isEmpty)
                val sections = Json.read(held.summary)
                for (name <- Seq("series", "noise", "windows", "effect", "details", "clipped"))
                  assert(sections.get(name) == manifest(folder).get(name), name)
                assert(held.noiseBefore > 50 && held.noiseAfter < held.noiseBefore / 2)
                val found = pixels(held.slices)
                assert(found == pixels(written.slices) && found.map(_.length) == Seq.fill(12)(3200))
                found
              }
            }
          }
      assert(all.distinct.size == 1)
      withSession() { spark =>
        def read(path: String) = spark.read.format("dicom").option("pixels", "true").load(path)
        // Offsets are of the stored values: 12 bits without a sign need none.
        assert(pixels(read(base.resolve("0/dicom").toString)) == all.head)
        assert(pixels(read(input)) != all.head)
        Using.resource(TomoBasis.denoise(spark, input, options("strength" -> "0"))) { unchanged =>
          val (ours, theirs) = (unchanged.slices, read(input))
          assert(ours.schema == theirs.schema)
          def headers(frame: DataFrame): Seq[Row] =
            frame.drop("pixels").collect().toSeq.sortBy(_.getAs[Int]("slice"))
          assert(headers(ours) == headers(theirs) && pixels(ours) == pixels(theirs))
        }
      }
    }
  }

  test("the session is as it was, and a closed result refuses what needs its slices") {
    withFolder { base =>
      withSession() { spark =>
        val input = writeSeries(base.resolve("in"), ct).toString
        val sc = spark.sparkContext
        spark.range(1).count() // where Spark's SQL begins, it sets properties of its own
        val settings = sc.getConf.getAll.toSet
        val result = TomoBasis.denoise(spark, input)
        val slices = result.slices
        assert(sc.getPersistentRDDs.size == 2)
        result.close()
        assert(sc.getPersistentRDDs.isEmpty && sc.getConf.getAll.toSet == settings && !sc.isStopped)
        assert(intercept[UsageException](result.slices).getMessage.startsWith("the result is closed"))
        assert(slices.count() == 12 && spark.range(10).count() == 10)
      }
    }
  }

  test("what cannot be denoised, and options that are none of denoising, are refused and leave nothing") {
    withFolder { base =>
      withSession() { spark =>
        val few = writeSeries(base.resolve("few"), new SyntheticCt(3, 80, 40, 6)).toString
        val output = base.resolve("out").toString
        val error = intercept[InputException](TomoBasis.denoise(spark, few, options("output" -> output)))
        assert(error.getMessage.startsWith("denoise: 3 slices: at least 4 are needed"), error.getMessage)
        assert(!Files.exists(base.resolve("out")) && spark.sparkContext.getPersistentRDDs.isEmpty)
        def said(options: (String, String)*) =
          intercept[UsageException](TomoBasis.denoise(spark, few, this.options(options: _*))).getMessage
        assert(said("rank" -> "5").contains("--rank"))
        assert(said("strength" -> "2").contains("--strength"))
        assert(said("denoise" -> "true").startsWith("--denoise: it is a function of its own"))
        assert(said("series" -> "all").startsWith("--series: all is for the command and the job"))
        assert(said("dicom-syntax" -> "jpeg-ls").startsWith("--dicom-syntax: it is about the result folder"))
        val decomposing = intercept[UsageException](TomoBasis.decompose(spark, few, options("denoise" -> "true")))
        assert(decomposing.getMessage.contains("TomoBasis.denoise"))
      }
    }
  }
}
