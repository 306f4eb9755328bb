package io.tomobasis.matrix

import java.nio.ByteBuffer
import java.util.zip.CRC32C

import io.tomobasis.jni.DamagedException

/**
 * Bytes that leave a task, with a checksum: Spark's own tells a shuffle file that was changed on its disk or on its way only where the
 * file is compressed. What is opened is what was sealed.
 *
 * @param place of what the bytes are of, which is sealed with them
 */
final class Sealed private (kept: Array[Byte], val place: Int, sum: Int) extends Serializable {

  /** Throws DamagedException where the bytes, or their place, are not what they were. */
  def bytes: Array[Byte] = {
    if (Sealed.sumOf(kept, place) != sum)
      Damage.located(throw new DamagedException("what a task sent is not what arrived"))
    kept
  }
}

object Sealed {
  def apply(bytes: Array[Byte], place: Int = 0): Sealed = new Sealed(bytes, place, sumOf(bytes, place))

  private def sumOf(bytes: Array[Byte], place: Int): Int = {
    val sum = new CRC32C
    sum.update(ByteBuffer.allocate(Integer.BYTES).putInt(place).flip())
    sum.update(bytes)
    sum.getValue.toInt
  }
}
