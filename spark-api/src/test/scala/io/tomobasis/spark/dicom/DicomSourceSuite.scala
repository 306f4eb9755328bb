package io.tomobasis.spark.dicom

import org.apache.spark.sql.{DataFrame, Row, SparkSession}
import org.apache.spark.sql.execution.datasources.v2.BatchScanExec
import org.scalatest.funsuite.AnyFunSuite

import java.nio.{ByteBuffer, ByteOrder}
import java.nio.file.{Files, Path}

import io.tomobasis.io.Causes
import io.tomobasis.jni.{InputException, SyntheticCt, UsageException}
import io.tomobasis.run.TestFolder.{pack, withFolder, writeSeries}
import io.tomobasis.spark.TestSession.withSession

class DicomSourceSuite extends AnyFunSuite {
  private val one = new SyntheticCt(12, 70, 80, 1)
  private val other = new SyntheticCt(4, 50, 60, 2)

  private def withScans(body: (SparkSession, Path) => Any): Unit = withFolder { folder =>
    writeSeries(folder.resolve("in/a"), one)
    writeSeries(folder.resolve("in/b"), other)
    // Plans are looked at, and adaptive execution hides what is in them.
    withSession("spark.sql.adaptive.enabled" -> "false")(spark => body(spark, folder.resolve("in")))
  }

  private def read(spark: SparkSession, path: Path, options: (String, String)*): DataFrame =
    spark.read.format("dicom").options(options.toMap).load(path.toString)

  /** A slice whose header is in order, and whose compressed pixels are none. */
  private def undecodable(j: Int): Array[Byte] = {
    val file = one.file(j, "1.2.840.10008.1.2.5")
    def item(tag: Int, bytes: Array[Byte]) = {
      val header = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN)
      header.putShort(0xfffe.toShort).putShort(tag.toShort).putInt(bytes.length).array ++ bytes
    }
    val header = file.dropRight(2 * one.pixels + 8) // VR and length too
    val ofPixels = "OB".getBytes("ASCII") ++ Array[Byte](0, 0, -1, -1, -1, -1)
    header ++ ofPixels ++ item(0xe000, Array.empty) ++ item(0xe000, new Array[Byte](80)) ++ item(0xe0dd, Array.empty)
  }

  private def scan(frame: DataFrame): BatchScanExec =
    frame.queryExecution.executedPlan.collect { case scan: BatchScanExec => scan }.head

  private def numbers(row: Row, column: String): Seq[Double] = row.getSeq[Double](row.fieldIndex(column))

  private def pixels(row: Row, column: String = "pixels"): Seq[Short] = {
    val bytes = ByteBuffer.wrap(row.getAs[Array[Byte]](column)).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer
    Seq.fill(bytes.remaining)(bytes.get())
  }

  test("each slice of each series is a row of what its header says, and no pixel is decoded") {
    withScans { (spark, input) =>
      Files.write(input.resolve("a/slice-004.dcm"), undecodable(4))
      val frame = read(spark, input)
      assert(frame.columns.toSeq == SliceColumns.Metadata.map(_.name))
      val rows = frame.orderBy("rows", "slice").collect().toSeq
      assert(rows.map(_.getAs[Int]("rows")) == Seq.fill(4)(50) ++ Seq.fill(12)(70))
      assert(rows.map(_.getAs[String]("series")).distinct.size == 2)
      for ((row, j) <- rows.drop(4).zipWithIndex) {
        assert(row.getAs[Int]("slice") == j && row.getAs[Int]("slices") == 12 && row.getAs[Int]("columns") == 80)
        assert(row.getAs[Double]("position_mm") == j && numbers(row, "origin_mm") == Seq(0, 0, j))
        assert(
          numbers(row, "pixel_spacing_mm") == Seq(0.5, 0.5) && row.getAs[Double]("slice_spacing_mm") == 1
        )
        assert(
          row.getAs[Double]("slope") == 1 && row.getAs[Double]("intercept") == -1024 && row.getAs[Int]("offset") == 0
        )
        assert(row.getAs[Long]("instance_number") == j + 1 && row.getAs[String]("modality") == "CT")
        val syntax = if (j == 4) "1.2.840.10008.1.2.5" else "1.2.840.10008.1.2.1"
        assert(row.getAs[String]("transfer_syntax") == syntax && row.getAs[Int]("bits_stored") == 12)
      }
      assert(frame.count() == 16)
    }
  }

  test("pixels are decoded where a query uses them, from folders and archives, by tasks of five slices") {
    withScans { (spark, input) =>
      val archives = Seq("zip", "tar", "tar.gz").map(kind => pack(input, input.resolveSibling(s"in.$kind"), kind))
      for (path <- input +: archives) {
        val frame = read(spark, path, "pixels" -> "true", "padding" -> "keep", "slices_per_partition" -> "5")
        val rows = frame.orderBy("rows", "slice").select("rows", "slice", "pixels").collect()
        assert(rows.length == 16, path)
        for (row <- rows) {
          val ct = if (row.getInt(0) == 50) other else one
          assert(pixels(row) == ct.stored(row.getInt(1)).toSeq, path)
        }
        val parts = if (path.toString.endsWith("gz")) 1 else 4
        assert(scan(frame).inputPartitions.length == parts, path)
        // What is not used is not read.
        val headers = scan(frame.select("slice", "rows"))
        assert(
          headers.inputPartitions
            .forall(_.isInstanceOf[HeaderRows]) && headers.output.map(_.name) == Seq("slice", "rows")
        )
      }
    }
  }

  test("filters on headers leave slices out before they are read, with SQL's answers") {
    withScans { (spark, input) =>
      val frame = spark.read
        .format("dicom")
        .schema("slice int, position_mm double, modality string, rows int, pixels binary")
        .load(input.toString)
      val all = frame.drop("pixels").collect().toSeq
      def position(row: Row) = row.getDouble(1)
      val cases = Map[String, Row => Boolean](
        "position_mm < 3" -> (position(_) < 3),
        "slice in (1, 3) and modality = 'CT'" -> (row => Set(1, 3)(row.getInt(0))),
        "not slice = 2 and position_mm >= 2" -> (row => row.getInt(0) != 2 && position(row) >= 2),
        "slice in (1, null)" -> (_.getInt(0) == 1),
        "slice not in (1, null)" -> (_ => false),
        "modality like 'M%' or slice is null" -> (_ => false),
        "modality like '%T' and rows <=> 50" -> (_.getInt(3) == 50),
        "modality <=> null or slice > 7" -> (_.getInt(0) > 7),
        "position_mm > 0.5 and (rows = 70 or slice = 0)" -> (row => position(row) > 0.5 && row.getInt(3) == 70)
      )
      for ((condition, keeps) <- cases) {
        val kept = frame.where(condition)
        val wanted = all.filter(keeps)
        assert(kept.drop("pixels").collect().toSet == wanted.toSet, condition)
        // Spark need not have known the answer from the condition alone, and none of the others is planned.
        for (scan <- kept.queryExecution.executedPlan.collect { case scan: BatchScanExec => scan }) {
          val planned = scan.inputPartitions.collect { case PixelRows(slices, _) => slices.length }.sum
          assert(planned == wanted.length, condition)
        }
      }
    }
  }

  test("nothing of the patient is a column unless it is asked for by option") {
    withScans { (spark, input) =>
      def reading(options: (String, String)*) =
        spark.read
          .format("dicom")
          .options(options.toMap)
          .schema("sop_instance_uid string, series_instance_uid string, path string")
      assert(intercept[UsageException](reading().load(input.toString)).getMessage.contains("patient_data"))
      val rows = reading("patient_data" -> "true").load(input.toString).orderBy("sop_instance_uid").collect()
      assert(rows.length == 16 && rows.head.getString(0) == "2.25.47111.1" && rows.head.getString(1) == "2.25.47111")
      assert(Files.readAllBytes(Path.of(rows.head.getString(2))).sameElements(one.file(0)))
      assert(
        read(spark, input, "patient_data" -> "true").columns.takeRight(3).toSeq == SliceColumns.Patient.map(_.name)
      )
    }
  }

  test("a slice that cannot be decoded is an error that names it, or left out and counted") {
    withScans { (spark, input) =>
      Files.write(input.resolve("a/slice-004.dcm"), undecodable(4))
      def frame(options: (String, String)*) = read(spark, input, ("pixels" -> "true") +: options: _*).select("pixels")
      val thrown = intercept[Exception](frame().collect())
      val ours = Causes.of(thrown).collectFirst { case e: InputException => e.getMessage }
      assert(ours.exists(text => text.contains("of 20") && !text.contains("slice-004")), thrown)
      val left = frame("on_bad_slice" -> "skip")
      assert(left.collect().length == 15)
      assert(scan(left).metrics(SkippedSlices.Name).value == 1)
    }
  }

  test("a file whose header says that it cannot be used is an error, or left out") {
    withScans { (spark, input) =>
      Files.write(input.resolve("a/slice-004.dcm"), one.file(4).dropRight(100))
      assert(intercept[InputException](read(spark, input).collect()).getMessage.contains("of 20"))
      assert(read(spark, input, "on_bad_slice" -> "skip").count() == 15)
    }
  }

  test("options, columns and inputs that there are not end the query with one line") {
    withScans { (spark, input) =>
      def said(options: (String, String)*)(schema: String): String = {
        val reader = spark.read.format("dicom").options(options.toMap)
        val loading = if (schema.isEmpty) reader else reader.schema(schema)
        intercept[UsageException](loading.load(input.toString).collect()).getMessage
      }
      assert(said("color" -> "red")("").startsWith("color: there is no such option; give one of join, "))
      assert(said("pixels" -> "maybe")("") == "pixels: 'maybe' is neither true nor false")
      assert(said("slices_per_partition" -> "0")("").startsWith("slices_per_partition: '0'"))
      assert(said("on_bad_slice" -> "never")("").contains("--on-bad-slice"))
      assert(said("series" -> "0000")("").contains("--series"))
      assert(said()("color string").startsWith("color: there is no such column; there are series, slice, "))
      assert(said()("slice string") == "slice: it is int, not string; change the schema")
      assert(intercept[UsageException](spark.read.format("dicom").load()).getMessage.startsWith("path: "))
      assert(said()("slice int, slice int") == "slice: the schema has this column twice; name it once")
      intercept[InputException](read(spark, input.resolve("nowhere")).collect())
      Files.createDirectories(input.resolveSibling("empty"))
      intercept[InputException](read(spark, input.resolveSibling("empty")).collect())
    }
  }

  test("several paths are one input") {
    withScans { (spark, input) =>
      val (a, b) = (input.resolve("a").toString, input.resolve("b").toString)
      val frame = spark.read.format("dicom").option("pixels", "true").load(a, b)
      assert(frame.where("length(pixels) > 0").count() == 16)
      assert(
        intercept[UsageException](spark.read.format("dicom").option("paths", "a").load()).getMessage.contains("JSON")
      )
    }
  }

  test("SQL has it as a view, and a catalog not as a table") {
    withScans { (spark, input) =>
      spark.sql(s"CREATE TEMPORARY VIEW slices USING dicom OPTIONS (path '$input')")
      assert(spark.sql("SELECT count(*) FROM slices WHERE rows = 50").first().getLong(0) == 4)
      for (table <- Seq(s"LOCATION '$input'", s"OPTIONS (path '$input')")) {
        val thrown = intercept[Exception](spark.sql(s"CREATE TABLE slices_of USING dicom $table"))
        assert(Causes.of(thrown).exists(_.getMessage.contains("CREATE TEMPORARY VIEW")), thrown)
      }
    }
  }

  test("a number that a header lacks is null, whatever the schema says") {
    withScans { (spark, input) =>
      val file = input.resolve("single.dcm")
      Files.write(file, one.file(0))
      val reader = spark.read.format("dicom").schema("slice_spacing_mm double not null")
      assert(reader.load(file.toString).collect().toSeq == Seq(Row(null)))
    }
  }

  test("one series is chosen by its id") {
    withScans { (spark, input) =>
      val id = read(spark, input).where("rows = 50").select("series").first().getString(0)
      assert(read(spark, input, "series" -> id).count() == 4)
    }
  }
}
