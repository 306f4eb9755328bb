package io.tomobasis.matrix

import io.tomobasis.jni.MatrixNumbers

/**
 * A row block as it was read. Integers of 16 bits are kept as such, so that a matrix of them takes no more memory than a scan.
 *
 * @param kept   the values less `offset`; value i of column j is at `j * rows + i`
 * @param offset 0, or 32768 where 16 bits have no sign
 */
final class ReadBlock private (val index: Int, val rows: Int, kept: BlockValues, offset: Int) extends Serializable {

  /** Whether it is known to be what it was; unknown again in another place, or when it is read again. */
  @transient @volatile private var checked = false

  def values: Array[Double] = kept match {
    case Real(values) => values
    case Stored(values, _) =>
      val all = new Array[Double](values.length)
      var i = 0
      while (i < all.length) {
        all(i) = (values(i) + offset).toDouble
        i += 1
      }
      all
  }

  /** The values as the matrix's numbers are kept. Throws InputException where the block is not what it was. */
  def as(numbers: SharedNumbers): BlockValues = numbers.use { known =>
    if (!checked) {
      known.check(index, values)
      checked = true
    }
    kept match {
      case _ if known.real => Real(values)
      case _: Stored if offset == numbers.offset => kept
      case _ => Stored.of(known.stored(values), rows)
    }
  }
}

object ReadBlock {
  private val Unsigned = 1 << 15

  def apply(index: Int, rows: Int, values: Array[Double]): ReadBlock =
    offsetOf(values) match {
      case None => new ReadBlock(index, rows, Real(values), 0)
      case Some(offset) =>
        val kept = new Array[Short](values.length)
        var i = 0
        while (i < kept.length) {
          kept(i) = (values(i).toInt - offset).toShort
          i += 1
        }
        new ReadBlock(index, rows, Stored.of(kept, rows), offset)
    }

  /** What has to be taken off the values so that 16 bits hold each; none where they do not. */
  private def offsetOf(values: Array[Double]): Option[Int] = {
    var (least, greatest, i) = (0, 0, 0)
    while (i < values.length && values(i).toInt.toDouble == values(i)) {
      least = math.min(least, values(i).toInt)
      greatest = math.max(greatest, values(i).toInt)
      i += 1
    }
    if (i < values.length) None
    else if (least >= Short.MinValue && greatest <= Short.MaxValue) Some(0)
    else if (least >= 0 && greatest <= Short.MaxValue + Unsigned) Some(Unsigned)
    else None
  }
}

/** One per executor, made by the first task that needs it. */
final class SharedNumbers(bytes: Array[Byte]) extends PerExecutor[MatrixNumbers] {
  override protected def make(): MatrixNumbers = MatrixNumbers.fromBytes(bytes)

  /** What is taken off integers: what is stored is the value less the offset, so that a 0 tells it. */
  @transient lazy val offset: Int = -use(_.stored(Array(0.0)).head.toInt)
}
