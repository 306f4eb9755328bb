package io.tomobasis.matrix

import org.apache.spark.{SparkConf, SparkContext, SparkEnv}
import org.scalatest.funsuite.AnyFunSuite

import java.util.concurrent.atomic.AtomicInteger

class PerExecutorSuite extends AnyFunSuite {
  import PerExecutorSuite._

  test("an object is made once for all who use it, and freed when the last of them is done") {
    val shared = new Counting(1)
    val before = (Made.get, Freed.get)
    def since = (Made.get - before._1, Freed.get - before._2)
    shared.use { outer =>
      assert(shared.use(_ eq outer))
      shared.close()
      assert(!outer.freed && since == (1, 0))
    }
    assert(since == (1, 1))
    // Who comes later has it again, and nothing is left.
    assert(shared.use(!_.freed) && since == (2, 2))
    assertThrows[IllegalStateException](shared.use[Unit](_ => throw new IllegalStateException))
    assert(since == (3, 3))
  }

  test("what is let go is freed in the executor at once, and tasks have it again when they need it") {
    val conf = new SparkConf(false).setMaster("local[2]").setAppName("natives").set("spark.ui.enabled", "false")
    val sc = new SparkContext(conf)
    try
      for (kryo <- Seq(false, true)) {
        val natives = new SharedNatives(sc)
        val before = (Made.get, Freed.get)
        def since = (Made.get - before._1, Freed.get - before._2)
        val broadcast = natives.share(new Counting(7))
        def sum = sc.parallelize(1 to 100, 10).map(i => broadcast.value.use(_.number) * i).sum()
        assert(sum == 7 * 5050 && since == (1, 0))
        natives.letGo(broadcast)
        assert(since == (1, 1))
        assert(sum == 7 * 5050 && since._1 == since._2)
        // As it travels.
        val env = SparkEnv.get
        val serializer = if (kryo) new org.apache.spark.serializer.KryoSerializer(conf) else env.serializer
        val copy = serializer.newInstance().deserialize[Counting](serializer.newInstance().serialize(new Counting(3)))
        assert(copy.use(_.number) == 3)
        copy.close()
        assert(since._1 == since._2)
        natives.close()
      }
    finally sc.stop()
  }
}

object PerExecutorSuite {
  val Made = new AtomicInteger
  val Freed = new AtomicInteger

  final class Native(val number: Int) extends AutoCloseable {
    Made.incrementAndGet()
    @volatile var freed = false
    override def close(): Unit = {
      assert(!freed)
      freed = true
      Freed.incrementAndGet()
      ()
    }
  }

  final class Counting(number: Int) extends PerExecutor[Native] {
    override protected def make(): Native = new Native(number)
  }
}
