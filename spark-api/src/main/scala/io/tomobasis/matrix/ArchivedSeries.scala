package io.tomobasis.matrix

import java.io.{ByteArrayInputStream, ByteArrayOutputStream, ObjectInputStream, ObjectOutputStream}
import java.util.zip.{GZIPInputStream, GZIPOutputStream}

import scala.util.Using

import io.tomobasis.io.InputFile

/**
 * A series of an archive on its way to the task that makes its result.
 *
 * @param place  of its row in the index
 * @param folder of its result, in the output
 * @param plan   of [[ArchivedSeries.pack]]: plans are large and repeat themselves
 * @param files  of its slices and of copies that are to be compared, with their places in the listing
 */
final case class ArchivedSeries(place: Int, folder: String, plan: Array[Byte], files: Array[(Int, InputFile)]) {

  /** Bytes of its files. */
  def bytes: Long = files.iterator.map(_._2.length).filter(_ > 0).sum
}

object ArchivedSeries {
  def of(place: Int, folder: String, plan: SeriesPlan, files: IndexedSeq[InputFile]): ArchivedSeries = {
    val wanted = (plan.keys ++ plan.comparison.fold(IndexedSeq.empty[SliceKey])(_.keys)).map(_.file).distinct
    ArchivedSeries(place, folder, pack(plan), wanted.map(file => file -> files(file)).toArray)
  }

  /** A plan in few bytes. */
  def pack(plan: SeriesPlan): Array[Byte] = {
    val bytes = new ByteArrayOutputStream
    Using.resource(new ObjectOutputStream(new GZIPOutputStream(bytes)))(_.writeObject(plan))
    bytes.toByteArray
  }

  /** The plan that was packed. */
  def unpack(bytes: Array[Byte]): SeriesPlan =
    Using.resource(new ObjectInputStream(new GZIPInputStream(new ByteArrayInputStream(bytes))))(
      _.readObject().asInstanceOf[SeriesPlan]
    )
}

/**
 * What became of a series in its task.
 *
 * @param place    of its row in the index
 * @param tooLarge whether it needs more memory than a task can have
 * @param fields   of its row, as JSON
 */
final case class SeriesOutcome(place: Int, tooLarge: Boolean, fields: String)
