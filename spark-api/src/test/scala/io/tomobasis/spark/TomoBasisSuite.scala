package io.tomobasis.spark

import org.apache.spark.ml.functions.array_to_vector
import org.apache.spark.mllib.linalg.{Vector, Vectors}
import org.apache.spark.mllib.linalg.distributed.{IndexedRow, IndexedRowMatrix}
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.functions.{col, lit}
import org.scalatest.funsuite.AnyFunSuite

import java.nio.file.{Files, Path}
import java.util.{Map => JavaMap}
import java.util.concurrent.{Callable, Executors}

import scala.jdk.CollectionConverters._
import scala.util.Using

import TestSession.{frameOf, withSession}
import io.tomobasis.jni.{InputException, SyntheticCt, TomoBasisException, UsageException}
import io.tomobasis.matrix.KernelRegistrator
import io.tomobasis.run.Json
import io.tomobasis.run.TestFolder.{filesBelow, withFolder, writeSeries}

/** The library on sessions that are there: same bits as the job's, and the session as it was. */
class TomoBasisSuite extends AnyFunSuite {
  private val ct = new SyntheticCt(9, 100, 130, 3) // four row blocks, the last one short
  private def options(all: (String, String)*): JavaMap[String, String] = all.toMap.asJava

  private def root(folder: Path): String =
    Json.read(Files.readString(folder.resolve("manifest.json"))).get("digests").get("root").asText

  private val kryo = "spark.serializer" -> "org.apache.spark.serializer.KryoSerializer"
  private val registered = Seq(
    kryo,
    "spark.kryo.registrationRequired" -> "true",
    "spark.kryo.registrator" -> s" ${classOf[KernelRegistrator].getName} " // Spark's lists may have spaces
  )

  test("a scan has the same bits with any serializer, written or not, and with derived DICOM") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), ct).toString
      val roots =
        for ((settings, way) <- Seq(Nil, Seq(kryo), registered).zipWithIndex) yield withSession(settings: _*) { spark =>
          val folder = base.resolve(s"$way")
          val written = TomoBasis.decompose(
            spark,
            input,
            options("output" -> folder.toString, "emit" -> "parquet,dicom", "composite" -> "2,5", "rank" -> "6")
          )
          assert(written.root == root(folder) && written.output.contains(folder.toString))
          assert(filesBelow(folder).count(_.startsWith("dicom/")) == 18 && filesBelow(folder).contains("_SUCCESS"))
          written.close()
          Using.resource(TomoBasis.decompose(spark, input, options("rank" -> "6"))) { held =>
            assert(held.root == written.root && held.output.isEmpty)
            // The tables that were written are the DataFrames. Spark sorts, and finds schemas, with classes that its Kryo does not know.
            def table(frame: DataFrame, name: String) =
              spark.read.schema(frame.schema).parquet(folder.resolve(name).toString)
            def byRow(frame: DataFrame) = frame.collect().sortBy(_.getLong(1)).toSeq
            assert(held.s.collect().toSeq == table(held.s, "singular_values.parquet").collect().toSeq)
            assert(held.V.collect().toSeq == table(held.V, "weights.parquet").collect().toSeq)
            assert(byRow(held.U) == byRow(table(held.U, "basis")))
          }
          written.root
        }
      assert(roots.distinct.size == 1)
    }
  }

  test("a composite of full rank is the scan, and leaves out no slice") {
    withFolder { base =>
      withSession() { spark =>
        val input = writeSeries(base.resolve("in"), ct).toString
        Using.resource(TomoBasis.decompose(spark, input)) { result =>
          val full = result.composite(result.rank).orderBy("row").collect()
          assert(full.length == result.rows && full.map(_.getSeq[Double](2).length).toSet == Set(9))
          val (u, s, v) = (result.U.orderBy("row").collect(), result.singularValues, result.V.collect())
          for (i <- Seq(0, 4095, 4096, 12999); j <- Seq(0, 4, 8)) {
            val (row, weights) = (u(i).getSeq[Double](2), v(j).getSeq[Double](1))
            val value = s.indices.map(c => row(c) * s(c) * weights(c)).sum
            assert(math.abs(full(i).getSeq[Double](2)(j) - value) < 1e-8)
          }
          assert(intercept[UsageException](result.composite(0)).getMessage.startsWith("composite: rank 0"))
          assert(intercept[UsageException](result.composite(10)).getMessage.contains("1 to 9"))
        }
      }
    }
  }

  /** A matrix of m x n; of integers where `unit` is one. */
  private def matrix(m: Int, n: Int, unit: Double): Array[Array[Double]] = {
    val random = new scala.util.Random(7)
    Array.fill(m, n)((random.nextInt(2001) - 1000) * unit)
  }

  for ((kind, unit) <- Seq("integers" -> 1.0, "floats" -> 0.37))
    test(s"a matrix of $kind has the digest that it has in a file, from a DataFrame, an RDD and an IndexedRowMatrix") {
      withFolder { base =>
        withSession() { spark =>
          val a = matrix(9000, 5, unit)
          val file = base.resolve("a.csv")
          Files.writeString(file, a.map(_.mkString(",")).mkString("", "\n", "\n"))
          def rootOf(result: => TomoBasisResult) = Using.resource(result)(_.root)
          val right = rootOf(TomoBasis.decompose(spark, file.toString, options("input-format" -> "text")))
          val rows = spark.sparkContext.parallelize(
            a.toSeq.zipWithIndex.map { case (row, i) => IndexedRow(i, Vectors.dense(row)) },
            7
          )
          val arrays =
            spark.createDataFrame(rows.map(row => row.index -> row.vector.toArray)).toDF("index", "values")
          val mixed = arrays.orderBy((col("index") * 7919) % 9000)
          val sparse = rows.map(row => row.vector.toSparse: Vector)
          val named = arrays.withColumnRenamed("index", "place").withColumn("other", col("values"))
          val ways = Map(
            "rows in order" -> (() => TomoBasis.decompose(spark, sparse)),
            "indexed rows in any order" -> (() =>
              TomoBasis.decompose(spark, new IndexedRowMatrix(rows.repartition(5)))
            ),
            "arrays with an index" -> (() => TomoBasis.decompose(mixed)),
            "arrays in order" -> (() => TomoBasis.decompose(arrays.select("values"))),
            "vectors" -> (() => TomoBasis.decompose(mixed.withColumn("values", array_to_vector(col("values"))))),
            "named columns" -> (() => TomoBasis.decompose(named, options("column" -> "other", "index" -> "place")))
          )
          for ((way, result) <- ways) assert(rootOf(result()) == right, way)
        }
      }
    }

  test("a matrix is kept once: 2 bytes for each integer of 16 bits, 8 for a float") {
    withSession() { spark =>
      val sc = spark.sparkContext
      for ((unit, bytes) <- Seq(1.0 -> 2, 60.0 -> 8, 0.5 -> 8)) { // 60000 and -60000 are none of 16 bits
        val rows = sc.parallelize(matrix(9000, 20, unit).toSeq.map(Vectors.dense), 3)
        Using.resource(TomoBasis.decompose(spark, rows)) { result =>
          assert(result.U.count() == 9000)
          val kept = sc.getRDDStorageInfo.map(info => info.memSize + info.diskSize)
          assert(
            kept.length == 1 && kept.head / (9000.0 * 20) < bytes + 0.2 && kept.head / (9000.0 * 20) >= bytes,
            kept.toSeq
          )
        }
      }
    }
  }

  test("the factors as MLlib has them are those that MLlib computes, to its digits, and longer than it does") {
    withSession() { spark =>
      val a = matrix(5000, 6, 0.25)
      val rows = spark.sparkContext.parallelize(
        a.toSeq.zipWithIndex.map { case (row, i) => IndexedRow(i, Vectors.dense(row)) },
        3
      )
      val input = new IndexedRowMatrix(rows)
      val theirs = input.computeSVD(6, computeU = true)
      Using.resource(TomoBasis.decompose(spark, input)) { result =>
        val ours = result.svd
        for (j <- 0 until 6) assert(math.abs(ours.s(j) - theirs.s(j)) < 1e-9 * ours.s(0))
        assert((ours.U.numRows(), ours.U.numCols(), ours.V.numRows, ours.V.numCols) == ((5000, 6, 6, 6)))
        val back = ours.U.multiply(org.apache.spark.mllib.linalg.Matrices.diag(ours.s)).multiply(ours.V.transpose)
        val there = back.rows.collect().map(row => row.index.toInt -> row.vector.toArray)
        for ((i, row) <- there; j <- 0 until 6) assert(math.abs(row(j) - a(i)(j)) < 1e-9)
        assert(there.map(_._1).toSet.size == 5000)
      }
    }
  }

  test("tsqr, dssvd and dspca have the digests of their files") {
    withFolder { base =>
      withSession() { spark =>
        val a = matrix(9000, 6, 0.1)
        val file = base.resolve("a.csv")
        Files.writeString(file, a.map(_.mkString(",")).mkString("", "\n", "\n"))
        val rows = spark.sparkContext.parallelize(a.toSeq.map(Vectors.dense), 4)
        for (
          more <- Seq(
            Seq("method" -> "tsqr", "center" -> "true"),
            Seq("method" -> "dssvd", "rank" -> "2"),
            Seq("method" -> "dspca", "rank" -> "2")
          )
        ) {
          val files = TomoBasis.decompose(spark, file.toString, options(more :+ ("input-format" -> "text"): _*))
          val held = TomoBasis.decompose(spark, rows, options(more: _*))
          assert(held.root == files.root, more)
          assert(held.composite(2).count() == 9000)
          Seq(files, held).foreach(_.close())
        }
      }
    }
  }

  test("two sessions of one JVM work at once, and each has its bits") {
    withFolder { base =>
      withSession() { spark =>
        val inputs =
          Seq(3, 4).map(seed => writeSeries(base.resolve(s"$seed"), new SyntheticCt(7, 80, 90, seed)).toString)
        def root(session: SparkSession, input: String) = Using.resource(TomoBasis.decompose(session, input))(_.root)
        val alone = inputs.map(root(spark, _))
        val pool = Executors.newFixedThreadPool(4)
        try {
          val calls =
            for (_ <- 1 to 2; input <- inputs)
              yield pool.submit((() => root(spark.newSession(), input)): Callable[String])
          assert(calls.map(_.get) == Seq.fill(2)(alone).flatten)
          assert(alone.distinct.size == 2)
        } finally pool.shutdownNow()
      }
    }
  }

  test("a session is left as it was: it runs, with its properties, jobs and call site, and nothing persisted") {
    withFolder { base =>
      withSession() { spark =>
        val sc = spark.sparkContext
        val input = writeSeries(base.resolve("in"), ct).toString
        val settings = sc.getConf.getAll.toSet
        sc.setCallSite("the user's")
        sc.setJobGroup("mine", "the user's jobs")
        // A job of the user's that runs while a call fails is none that is cancelled.
        val slow = sc.parallelize(0 until 2, 1).map { i => Thread.sleep(3000); i }.countAsync()
        Files.write(
          base.resolve("in/slice-004.dcm"),
          Files.readAllBytes(base.resolve("in/slice-004.dcm")).dropRight(1000)
        )
        intercept[InputException](TomoBasis.decompose(spark, input))
        assert(scala.concurrent.Await.result(slow, scala.concurrent.duration.Duration("60 s")) == 2)
        Files.write(base.resolve("in/slice-004.dcm"), ct.file(4))
        TomoBasis.decompose(spark, input).close()
        assert(
          sc.getLocalProperty("callSite.short") == "the user's" && sc.getLocalProperty("spark.jobGroup.id") == "mine"
        )
        assert(sc.getJobTags().isEmpty && sc.getConf.getAll.toSet == settings && !sc.isStopped)
        assert(sc.getPersistentRDDs.isEmpty)
        assert(spark.range(10).count() == 10)
      }
    }
  }

  test("what is wrong with rows is one error that says which") {
    withSession() { spark =>
      val sc = spark.sparkContext
      def said[E <: TomoBasisException: scala.reflect.ClassTag](call: => Any): String = intercept[E](call).getMessage
      def indexed(indices: Long*) =
        new IndexedRowMatrix(sc.parallelize(indices.map(i => IndexedRow(i, Vectors.dense(1.0 * i, 2))), 2), 4, 2)
      assert(
        said[InputException](TomoBasis.decompose(spark, indexed(0, 1, 3)))
          .contains("there are 3 rows, and 4 are needed")
      )
      assert(
        said[InputException](TomoBasis.decompose(spark, indexed(0, 1, 3, 3))).contains("row index 3 occurs twice")
      )
      assert(said[InputException](TomoBasis.decompose(spark, indexed(0, 1, 2, 4))).contains("row index 4"))
      assert(said[InputException](TomoBasis.decompose(spark, indexed(0, 1, 2, -1))).contains("row index -1"))
      def rows(all: Seq[Double]*) = sc.parallelize(all.map(row => Vectors.dense(row.toArray)), 2)
      assert(said[InputException](TomoBasis.decompose(spark, rows())).contains("no rows"))
      assert(said[InputException](TomoBasis.decompose(spark, rows(Seq(1, 2), Seq(1)))).contains("from 1 to 2 numbers"))
      val nan = said[InputException](TomoBasis.decompose(spark, rows(Seq(1, 2), Seq(3, Double.NaN))))
      assert(nan.endsWith("row 2, column 2 is no finite number; replace NaN and infinity first"), nan)
      val frame = frameOf(spark, Seq((0, Seq(1.0, 2.0), "a"), (1, Seq(3.0, 4.5), "b")), "at", "values", "name")
      assert(said[UsageException](TomoBasis.decompose(frame, options("column" -> "name"))).contains("of type string"))
      assert(
        said[UsageException](TomoBasis.decompose(frame, options("index" -> "place")))
          .contains("there is no column place")
      )
      assert(said[InputException](TomoBasis.decompose(frame.select("name"))).contains("no column of vectors"))
      val two = frame.withColumn("more", col("values"))
      assert(said[UsageException](TomoBasis.decompose(two)).contains("2 columns of vectors or arrays (values, more)"))
      val none = frame.withColumn("values", lit(null).cast("array<double>"))
      assert(said[InputException](TomoBasis.decompose(none)).contains("column values has a null"))
      val large = frameOf(spark, Seq(Tuple1(Seq(1L, (1L << 53) + 1))), "values")
      assert(said[InputException](TomoBasis.decompose(large)).contains("2^53"))
      val missing = sc.parallelize(Seq[Vector](Vectors.dense(1, 2), null))
      assert(said[InputException](TomoBasis.decompose(spark, missing)).startsWith("a row has a null"))
      val unnumbered = frame.withColumn("index", col("name"))
      val index = said[UsageException](TomoBasis.decompose(unnumbered.select("values", "index")))
      assert(index == "index: column index is of type string; give one of integers")
    }
  }

  test("the column index is found as Spark finds it") {
    withSession() { spark =>
      val backward = frameOf(spark, Seq((1, Seq(3.0, 4.5)), (0, Seq(1.0, 2.0))), "INDEX", "values")
      def found(frame: DataFrame) = Using.resource(TomoBasis.decompose(frame))(_.root)
      val right = found(backward.orderBy("INDEX").select("values"))
      assert(found(backward) == right && found(backward.select("values")) != right)
      spark.conf.set("spark.sql.caseSensitive", "true")
      assert(found(backward) != right)
    }
  }

  test("a closed result refuses what needs its rows, and keeps s and V") {
    withSession() { spark =>
      val rows = spark.sparkContext.parallelize(matrix(20, 3, 0.5).toSeq.map(row => Vectors.dense(row)))
      val result = TomoBasis.decompose(spark, rows)
      val (before, root) = (result.U, result.root)
      result.close()
      for (call <- Seq[() => Any](() => result.U, () => result.composite(1), () => result.svd, () => result.summary))
        assert(intercept[UsageException](call()).getMessage.startsWith("the result is closed"))
      assert(result.root == root && result.s.count() == 3 && result.V.count() == 3 && before.count() == 20)
    }
  }

  test("options that are none of a library's are refused by their names") {
    withSession() { spark =>
      def said(options: (String, String)*) =
        intercept[UsageException](TomoBasis.decompose(spark, "/nowhere", this.options(options: _*))).getMessage
      assert(said("rank" -> "0").contains("--rank"))
      assert(said("ranks" -> "1").contains("--ranks"))
      assert(said("emit" -> "png") == "--emit: it is about the result folder; add output, or leave it out")
      for (name <- Seq("help", "version", "verbose", "quiet")) assert(said(name -> "true").startsWith(s"--$name: "))
      assert(said("input" -> "/other").startsWith("--input: "))
      // False leaves out what needs no value, and nothing else.
      assert(said("rank" -> "false").contains("'false' for '--rank"))
      assert(said("ranks" -> "false").contains("--ranks"))
      assert(said("rank" -> null).startsWith("--rank: null is no value"))
      assert(said("rank" -> "2", "--rank" -> "3").startsWith("--rank: it is there twice"))
      assert(intercept[UsageException](TomoBasis.decompose(spark, "/nowhere", null)).getMessage.startsWith("options"))
      val flags = Seq("center", "join", "overwrite", "no-patient-data").map(_ -> "false")
      withFolder { base =>
        val absent = options(flags :+ "output" -> base.resolve("result").toString: _*)
        assert(intercept[InputException](TomoBasis.decompose(spark, "/nowhere", absent)).getMessage.contains("--input"))
      }
      // As Python's integers come.
      val number = Map[String, Any]("rank" -> 0).asJava.asInstanceOf[JavaMap[String, String]]
      val zero = intercept[UsageException](TomoBasis.decompose(spark, "/nowhere", number)).getMessage
      assert(zero.contains("'0' for '--rank"), zero)
      assert(
        intercept[TomoBasisException](TomoBasis.decompose(spark, "/nowhere/at/all")).getMessage.startsWith("--input")
      )
    }
  }

  test("Kryo that needs registration is told what to register") {
    withSession(registered.take(2): _*) { spark =>
      val error = intercept[UsageException](TomoBasis.decompose(spark, "/nowhere"))
      assert(error.getMessage.contains(classOf[KernelRegistrator].getName), error.getMessage)
    }
  }

  test("an output that exists is refused before anything runs, and a failed call leaves none") {
    withFolder { base =>
      withSession() { spark =>
        val input = writeSeries(base.resolve("in"), ct).toString
        val folder = base.resolve("r")
        val writing = options("output" -> folder.toString)
        TomoBasis.decompose(spark, input, writing).close()
        assert(
          intercept[UsageException](TomoBasis.decompose(spark, input, writing)).getMessage.contains("exists already")
        )
        TomoBasis.decompose(spark, input, options("output" -> folder.toString, "overwrite" -> "true")).close()
        val broken = base.resolve("in/slice-004.dcm")
        Files.write(broken, Files.readAllBytes(broken).dropRight(1000))
        intercept[InputException](TomoBasis.decompose(spark, input, options("output" -> base.resolve("none").toString)))
        assert(!Files.exists(base.resolve("none")))
      }
    }
  }
}
