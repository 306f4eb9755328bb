package io.tomobasis.run

import java.io.{ByteArrayInputStream, ByteArrayOutputStream}
import java.util.zip.{GZIPInputStream, GZIPOutputStream}

import scala.util.Using

/** Bytes that repeat themselves, on their way to the driver. */
private[run] object Zipped {
  def zip(bytes: Array[Byte]): Array[Byte] = {
    val zipped = new ByteArrayOutputStream
    Using.resource(new GZIPOutputStream(zipped))(_.write(bytes))
    zipped.toByteArray
  }

  def unzip(zipped: Array[Byte]): Array[Byte] =
    Using.resource(new GZIPInputStream(new ByteArrayInputStream(zipped)))(_.readAllBytes)
}
