package io.tomobasis.matrix

import org.apache.spark.{HashPartitioner, SparkConf, SparkContext, SparkException}
import org.scalatest.funsuite.AnyFunSuite

import java.nio.{ByteBuffer, ByteOrder}
import java.util.concurrent.atomic.AtomicInteger

import io.tomobasis.io.Causes
import io.tomobasis.figures.Figures
import io.tomobasis.jni.{DamagedException, UsageException}

class ExactGramSuite extends AnyFunSuite {
  private val (rows, columns) = (50, 120)
  private def value(block: Int, row: Int, column: Int): Short =
    ((block * 7919 + row * 104729 + column * 1299709) % 4001 - 1000).toShort
  private def block(index: Int): RowBlock = {
    val values = Array.tabulate(rows * columns)(i => value(index, i % rows, i / rows))
    RowBlock(
      index,
      rows,
      columns,
      Stored.of(values, rows),
      if (index == 0) Array.fill(32 * columns)(7) else Array.emptyByteArray
    )
  }

  /** The products of the upper triangle, row by row, out of the documented form of the parts. */
  private def products(gram: ExactGram): Seq[Long] = gram.parts.toSeq.flatMap { bytes =>
    // Behind 12 bytes with the check, before 4 of the CRC.
    val part = ByteBuffer.wrap(bytes, 12, bytes.length - 16).slice().order(ByteOrder.LITTLE_ENDIAN)
    val first = part.getLong(24)
    part.position(40 + (if (first == 0) 24 * columns else 0))
    Seq.fill(part.remaining / 8)(part.getLong)
  }

  private def withSpark[T](limit: String)(body: SparkContext => T): T = {
    val conf = new SparkConf().setAppName("sums").setMaster("local[2]").set("spark.driver.maxResultSize", limit)
    val sc = new SparkContext(conf)
    try body(sc)
    finally sc.stop()
  }

  test("sums that are larger than what Spark lets through to the driver are the exact ones all the same") {
    val blocks = (0 until 6).map(block)
    val expected =
      for (i <- 0 until columns; j <- i until columns)
        yield blocks.indices.map(b => (0 until rows).map(r => value(b, r, i).toLong * value(b, r, j)).sum).sum
    // One sum has 58 kB.
    for ((limit, parts) <- Seq("1g" -> 1, "300k" -> 1, "50k" -> 5, "20k" -> 12)) withSpark(limit) { sc =>
      val gram = ExactGram.sum(sc.parallelize(blocks, 4), columns, Figures.open(sc))
      assert(products(gram) == expected, limit)
      assert(gram.records.toSeq == blocks.head.records.toSeq, limit)
      assert(gram.parts.length == parts, limit)
    }
  }

  test(
    "row blocks that were damaged while they stayed in the executors are made again, and the sums are the right ones"
  ) {
    withSpark("1g") { sc =>
      val right =
        ExactGram.sum(sc.parallelize((0 until 6).map(block), 4), columns, Figures.open(sc)).parts.map(_.toSeq).toSeq
      for (times <- 1 to 3) {
        // The first readings are of blocks of which a bit changes after they were made.
        val made = sc.parallelize((0 until 6).map(block), 3).map { whole =>
          val isFaulty = whole.index == 4 && Faults.left.getAndDecrement() > 0
          whole.values match {
            case Stored(values, _) if isFaulty => values(1234) = (values(1234) ^ 64).toShort
            case _ =>
          }
          whole
        }
        Faults.left.set(times)
        val kept = made.persist()
        var said = Seq.empty[String]
        def sums = Damage
          .mended(kept, line => said :+= line)(ExactGram.sum(kept, columns, Figures.open(sc)))
          .parts
          .map(_.toSeq)
          .toSeq
        if (times < 3) assert(sums == right)
        else {
          val failure = intercept[SparkException](sums)
          assert(Causes.of(failure).exists(_.isInstanceOf[DamagedException]))
        }
        assert(said.length == math.min(times, 2))
        assert(said.forall(line => line.contains("row block") && line.contains("found on ")), said)
        kept.unpersist()
      }
    }
  }

  test("row blocks that were damaged in the files of a shuffle are made again too") {
    withSpark("1g") { sc =>
      val right =
        ExactGram.sum(sc.parallelize((0 until 6).map(block), 4), columns, Figures.open(sc)).parts.map(_.toSeq).toSeq
      for (times <- 1 to 3) {
        val arriving = sc.parallelize((0 until 6).map(block), 3).map { whole =>
          val isFaulty = whole.index == 4 && Faults.left.getAndDecrement() > 0
          whole.values match {
            case Stored(values, _) if isFaulty => values(1234) = (values(1234) ^ 64).toShort
            case _ =>
          }
          whole.index -> whole
        }
        Faults.left.set(times)
        val kept = arriving.partitionBy(new HashPartitioner(2)).values.persist()
        var said = Seq.empty[String]
        def sums = Damage
          .mended(kept, line => said :+= line)(ExactGram.sum(kept, columns, Figures.open(sc)))
          .parts
          .map(_.toSeq)
          .toSeq
        if (times < 3) assert(sums == right) else intercept[SparkException](sums)
        assert(said.length == math.min(times, 2), said)
        kept.unpersist()
      }
    }
  }

  test("a driver whose heap cannot hold the sums is refused with what it needs, before any task") {
    // 8,192 slices: 8192 x 8193 / 2 sums of 8 bytes are 257 MiB.
    ExactGram.check(8192, 400L << 20)
    val refused = intercept[UsageException](ExactGram.check(8192, 300L << 20)).getMessage
    assert(refused.startsWith("--driver-memory: ") && refused.contains("257 MB") && refused.contains("385 MB"), refused)
  }
}

/** Faults that the tasks of this JVM still make. */
private object Faults {
  val left = new AtomicInteger
}
