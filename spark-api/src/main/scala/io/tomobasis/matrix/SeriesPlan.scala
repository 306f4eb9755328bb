package io.tomobasis.matrix

import io.tomobasis.jni

/**
 * The chosen series, as far as the job moves it around.
 *
 * @param image       rows and columns of a slice
 * @param keys        for each slice in spatial order, where it is
 * @param pieces      for each slice, the part of a large file that is enough for it; none where all is needed
 * @param description the series in one line, for the user
 * @param notes       what was left out of the series and what is unusual about it, for the user
 * @param comparison  what has to be decoded to tell whether copies are copies: each slice, and its copy after it
 * @param json        the whole plan, which only native code reads
 */
final case class SeriesPlan(
    layout: Layout,
    image: ImageSize,
    keys: IndexedSeq[SliceKey],
    pieces: IndexedSeq[Option[FilePiece]],
    description: String,
    notes: IndexedSeq[String],
    comparison: Option[SeriesPlan],
    json: String
) {

  /** What the user is told of it. */
  def said: Seq[String] = s"found $description" +: notes
}

object SeriesPlan {
  def of(plan: jni.SeriesPlan): SeriesPlan =
    SeriesPlan(
      layout = Layout(Math.multiplyExact(plan.rows, plan.columns), plan.slices.length),
      image = ImageSize(plan.rows, plan.columns),
      keys = plan.slices.toIndexedSeq.map(slice => SliceKey(slice.file, slice.frame)),
      pieces = plan.slices.toIndexedSeq.map(slice => Option(slice.piece).map(FilePiece.of)),
      description = plan.description,
      notes = plan.notes.toIndexedSeq,
      comparison = Option(plan.comparison).map(of),
      json = plan.json
    )
}

/** Rows and columns of a slice. */
final case class ImageSize(rows: Int, columns: Int)

/** Where a slice is: the place of its file in the listing, and its frame there. */
final case class SliceKey(file: Int, frame: Int)

/** The first `head` bytes of a file, and those from `start` until `end`. */
final case class FilePiece(head: Long, start: Long, end: Long) {

  /** What is enough for both slices. */
  def and(other: FilePiece): FilePiece =
    FilePiece(math.max(head, other.head), math.min(start, other.start), math.max(end, other.end))
}

object FilePiece {
  def of(piece: jni.FilePiece): FilePiece = FilePiece(piece.head, piece.start, piece.end)
}
