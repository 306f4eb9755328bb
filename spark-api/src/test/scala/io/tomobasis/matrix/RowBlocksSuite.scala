package io.tomobasis.matrix

import com.esotericsoftware.kryo.io.{Input, Output}
import org.apache.spark.SparkConf
import org.apache.spark.serializer.KryoSerializer
import org.scalatest.funsuite.AnyFunSuite

import java.io.{ByteArrayInputStream, ByteArrayOutputStream}

import scala.util.Random

import io.tomobasis.jni.{DamagedException, GramAccumulator, SliceDecoder}

class RowBlocksSuite extends AnyFunSuite {
  private val layout = Layout(pixels = 2 * Layout.BlockRows + 100, slices = 7)

  private def value(slice: Int, pixel: Int): Short = (31 * slice + 7 * pixel).toShort
  private def record(slice: Int): Array[Byte] = Array.fill(SliceDecoder.RECORD_BYTES)(slice.toByte)

  private def stored(block: RowBlock): Array[Short] = block.values match {
    case Stored(values, _) => values
    case other => fail(s"$other are no stored pixels")
  }

  /** Pieces of all blocks from decoding tasks of the given runs of slices. */
  private def pieces(runs: Runs): Seq[Piece] = for {
    part <- 0 until runs.parts
    block <- 0 until layout.blocks
  } yield {
    val slices = runs.of(part)
    val values =
      slices.flatMap(j => (0 until layout.rows(block)).map(i => value(j, layout.firstRow(block) + i))).toArray
    val check = GramAccumulator.blockCheck(values, layout.rows(block), slices.start)
    Piece(block, slices.start, values, slices.flatMap(record(_)).toArray, check)
  }

  test("the last row block is short and the blocks cover all pixels") {
    assert(layout.blocks == 3)
    assert((0 until 3).map(layout.rows) == Seq(4096, 4096, 100))
    assert(Layout(4096, 1).blocks == 1)
  }

  test("pieces in any order become the same row blocks") {
    val random = new Random(5)
    for (parts <- Seq(1, 2, 3, 7); _ <- 1 to 3) {
      val shuffled = random.shuffle(pieces(Runs(7, parts)))
      val blocks = RowBlocks.assemble(shuffled.iterator, layout, 0 until 3)
      for (block <- blocks; j <- 0 until 7; i <- Seq(0, 1, block.rows - 1))
        assert(stored(block)(j * block.rows + i) == value(j, layout.firstRow(block.index) + i))
      assert(blocks.map(_.index) == Seq(0, 1, 2))
      assert(blocks.forall(_.records.toSeq == (0 until 7).flatMap(record(_))))
    }
  }

  test("a partition that holds later blocks only puts them together alike") {
    val all = RowBlocks.assemble(pieces(Runs(7, 3)).iterator, layout, 0 until 3)
    val last = RowBlocks.assemble(pieces(Runs(7, 3)).filter(_.block > 0).iterator, layout, 1 until 3)
    for ((a, b) <- all.tail.zip(last))
      assert(a.index == b.index && stored(a).sameElements(stored(b)) && a.records.sameElements(b.records))
  }

  test("records that were made at different times are kept once each") {
    val (one, other) = ((0 until 7).flatMap(record(_)).toArray, (1 until 8).flatMap(record(_)).toArray)
    val union = SliceRecords.union(_: Array[Byte], _: Array[Byte], 7)
    assert(union(one, Array.emptyByteArray).sameElements(one))
    assert(union(Array.emptyByteArray, one).sameElements(one))
    assert(union(one, one).sameElements(one))
    assert(union(union(one, other), union(other, one)).toSeq == (one ++ other).toSeq)
  }

  test("a missing piece is an error, not a block with zeros") {
    val some = pieces(Runs(7, 3)).tail
    val said = intercept[IllegalStateException](RowBlocks.assemble(some.iterator, layout, 0 until 3)).getMessage
    assert(said.startsWith("row block 0 got"))
  }

  test("a bit of a piece that changed on its way is found in the block that it became part of") {
    val random = new Random(8)
    val right = pieces(Runs(7, 3)).filter(_.block == 2)
    for (_ <- 1 to 1000) {
      val damaged = random.nextInt(right.length)
      val arriving = right.zipWithIndex.map { case (piece, i) =>
        val values = piece.values.clone
        if (i == damaged) {
          val at = random.nextInt(values.length)
          values(at) = (values(at) ^ 1 << random.nextInt(16)).toShort
        }
        piece.copy(values = values)
      }
      val block = RowBlocks.assemble(arriving.iterator, layout, 2 until 3).head
      block.values match {
        case stored: Stored =>
          val said = intercept[DamagedException](stored.verified(block.rows)).getMessage
          assert(said.startsWith("the values of a row block are not what they were") && said.contains("found on "))
        case other => fail(s"$other")
      }
    }
  }

  test("runs are even, complete and agree with the partitioner") {
    for (items <- Seq(1, 5, 64, 301); parts <- 1 to items) {
      val runs = Runs(items, parts)
      assert((0 until parts).flatMap(runs.of) == (0 until items))
      assert(runs.sizes.max - runs.sizes.min <= 1)
      val partitioner = new BlockPartitioner(runs)
      for (part <- 0 until parts; item <- runs.of(part)) assert(partitioner.getPartition(item) == part)
    }
  }

  test("partitions are as many as asked for, at most one per item, at least one") {
    val large = Layout(pixels = 512 * 512, slices = 301)
    def asked(partitions: Int) = Parallelism(Some(partitions), 8)
    assert(large.decodePartitions(asked(1000)) == 301)
    assert(large.blockPartitions(asked(20)) == 20)
    assert(large.blockPartitions(Parallelism(None, 2)) == 8)
    assert(large.blockPartitions(Parallelism(None, 10)) == 40)
    assert(large.blockPartitions(Parallelism(None, 100)) == 64)
    // 151 MiB of pixels: at most 16 MiB of them in a task that decodes, 32 MiB in one that has row blocks.
    assert(large.decodePartitions(asked(1)) == 10)
    assert(large.blockPartitions(asked(1)) == 5)
    assert(Layout(1, 1).blockPartitions(Parallelism(None, 16)) == 1)
  }

  test("pixels survive Kryo at every length around the size of its pieces") {
    val serializer = new PixelSerializer
    val kryo =
      new KryoSerializer(new SparkConf().set("spark.kryo.registrator", classOf[KernelRegistrator].getName)).newKryo()
    for (length <- Seq(0, 1, 32767, 32768, 32769, 100000)) {
      val pixels = Array.tabulate(length)(i => (i * 40503).toShort)
      val output = new Output(1024, -1)
      serializer.write(kryo, output, pixels)
      val back = serializer.read(kryo, new Input(output.toBytes), classOf[Array[Short]])
      assert(back.sameElements(pixels))
      assert(output.total == 4 + 2 * length)
    }
  }

  test("pieces survive the serialization of a shuffle") {
    val conf = new SparkConf().set("spark.kryo.registrator", classOf[KernelRegistrator].getName)
    val serializer = new KryoSerializer(conf).newInstance()
    val sent = pieces(Runs(7, 3))
    val bytes = new ByteArrayOutputStream
    val out = serializer.serializeStream(bytes)
    sent.foreach(piece => out.writeKey(piece.block).writeValue(piece))
    out.close()
    val received = serializer
      .deserializeStream(new ByteArrayInputStream(bytes.toByteArray))
      .asKeyValueIterator
      .map(_._2.asInstanceOf[Piece])
      .toSeq
    for ((a, b) <- sent.zip(received)) {
      assert((a.block, a.firstSlice, a.records.toSeq, a.check) == ((b.block, b.firstSlice, b.records.toSeq, b.check)))
      assert(a.values.sameElements(b.values))
    }
    assert(received.size == sent.size)
  }
}
