package io.tomobasis.matrix

import org.apache.spark.SparkConf
import org.apache.spark.serializer.{JavaSerializer, KryoSerializer}
import org.scalatest.funsuite.AnyFunSuite

import java.nio.ByteBuffer

import scala.util.Random

import io.tomobasis.jni.DamagedException

class SealedSuite extends AnyFunSuite {
  test("no bit of what a task sends can change unseen") {
    val random = new Random(7)
    val bytes = new Array[Byte](200)
    random.nextBytes(bytes)
    val conf = new SparkConf(false).set("spark.kryo.registrator", classOf[KernelRegistrator].getName)
    for (serializer <- Seq(new KryoSerializer(conf), new JavaSerializer(conf)).map(_.newInstance())) {
      val sent = serializer.serialize(Sealed(bytes, 12))
      val wire = new Array[Byte](sent.remaining)
      sent.get(wire)
      val arrived = serializer.deserialize[Sealed](ByteBuffer.wrap(wire))
      assert(arrived.bytes.sameElements(bytes) && arrived.place == 12)
      val start = wire.indexOfSlice(bytes)
      assert(start > 0)
      for (bit <- 8 * start until 8 * (start + bytes.length)) {
        val changed = wire.clone
        changed(bit / 8) = (changed(bit / 8) ^ (1 << bit % 8)).toByte
        val one = serializer.deserialize[Sealed](ByteBuffer.wrap(changed))
        val damage = intercept[DamagedException](one.bytes)
        assert(damage.getMessage.startsWith("what a task sent is not what arrived"), s"bit $bit")
      }
    }
  }
}
