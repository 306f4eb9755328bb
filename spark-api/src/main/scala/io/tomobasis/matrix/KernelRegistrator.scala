package io.tomobasis.matrix

import com.esotericsoftware.kryo.{Kryo, Serializer}
import com.esotericsoftware.kryo.io.{Input, Output}
import org.apache.spark.serializer.KryoRegistrator

import java.nio.{ByteBuffer, ByteOrder}

import io.tomobasis.io.{InputFile, Packed}
import io.tomobasis.jni.Packing

/** What crosses the shuffle, the cache and the way to the driver: all of it, so that `spark.kryo.registrationRequired` can be set. */
final class KernelRegistrator extends KryoRegistrator {
  override def registerClasses(kryo: Kryo): Unit = {
    kryo.register(classOf[Array[Short]], new PixelSerializer)
    Seq(
      classOf[Piece],
      classOf[RowBlock],
      classOf[Stored],
      classOf[Real],
      classOf[ReadBlock],
      classOf[RowPiece],
      classOf[Measured],
      classOf[Array[Measured]],
      classOf[ColumnSums],
      classOf[ExactSum],
      classOf[Array[ExactSum]],
      classOf[MatrixFiles],
      classOf[SharedSource],
      classOf[SharedNumbers],
      classOf[GramPart],
      classOf[PassPart],
      classOf[Sealed],
      classOf[RenderedBlock],
      classOf[RenderedSeries],
      classOf[BasisRecord],
      classOf[DecodedSlice],
      classOf[SliceSource],
      classOf[InputFile],
      classOf[FilePiece],
      classOf[Packed],
      classOf[Packing],
      classOf[SharedDecoder],
      classOf[SharedPass],
      classOf[SharedRenderer],
      classOf[ArchivedSeries],
      classOf[SeriesOutcome],
      classOf[Array[ArchivedSeries]],
      classOf[Array[SeriesOutcome]],
      classOf[CompositeBand],
      classOf[Array[SliceSource]],
      classOf[Array[Array[SliceSource]]],
      classOf[Array[Array[Byte]]],
      classOf[Array[(_, _)]],
      classOf[Array[Array[(_, _)]]],
      classOf[Array[DecodedSlice]],
      classOf[Array[GramPart]],
      classOf[Array[PassPart]],
      classOf[Array[BasisRecord]],
      classOf[Array[RenderedSeries]],
      classOf[Box],
      classOf[Voxels],
      classOf[DenoisedPart],
      classOf[SharedBandDenoiser],
      classOf[Array[Double]],
      classOf[Array[Array[Short]]]
    ).foreach(kryo.register(_))
  }
}

/** Arrays of pixels as their little-endian bytes, copied in large pieces: Kryo's own serializer goes value by value. */
final class PixelSerializer extends Serializer[Array[Short]] {
  override def write(kryo: Kryo, output: Output, pixels: Array[Short]): Unit = {
    output.writeInt(pixels.length)
    chunks(pixels.length) { (buffer, from, count) =>
      buffer.asShortBuffer.put(pixels, from, count)
      output.writeBytes(buffer.array, 0, 2 * count)
    }
  }

  override def read(kryo: Kryo, input: Input, tpe: Class[Array[Short]]): Array[Short] = {
    val pixels = new Array[Short](input.readInt())
    chunks(pixels.length) { (buffer, from, count) =>
      input.readBytes(buffer.array, 0, 2 * count)
      buffer.asShortBuffer.get(pixels, from, count)
    }
    pixels
  }

  private def chunks(length: Int)(copy: (ByteBuffer, Int, Int) => Unit): Unit = {
    val buffer = ByteBuffer.allocate(2 * math.min(length, PixelSerializer.Chunk)).order(ByteOrder.LITTLE_ENDIAN)
    var from = 0
    while (from < length) {
      val count = math.min(length - from, PixelSerializer.Chunk)
      copy(buffer, from, count)
      from += count
    }
  }
}

private object PixelSerializer {
  val Chunk: Int = 32 << 10
}
