package io.tomobasis.spark.dicom

import org.apache.spark.sql.sources._
import org.apache.spark.unsafe.types.UTF8String

/** Spark's filters on a slice's values, in SQL's logic of three values: None is unknown, as whatever is compared with null. */
private[dicom] object SliceFilter {

  /** Whether headers answer it. */
  def isKnown(filter: Filter): Boolean = filter match {
    case And(left, right) => isKnown(left) && isKnown(right)
    case Or(left, right) => isKnown(left) && isKnown(right)
    case Not(child) => isKnown(child)
    case _: EqualTo | _: EqualNullSafe | _: GreaterThan | _: GreaterThanOrEqual | _: LessThan | _: LessThanOrEqual |
        _: In | _: IsNull | _: IsNotNull | _: StringStartsWith | _: StringEndsWith | _: StringContains =>
      filter.references.forall(SliceColumns.Comparable.contains)
    case _ => false
  }

  /** Whether a slice passes all filters. */
  def passes(filters: Seq[Filter], value: String => Any): Boolean = filters.forall(holds(_, value).contains(true))

  private def holds(filter: Filter, value: String => Any): Option[Boolean] = filter match {
    case And(left, right) => both(holds(left, value), holds(right, value))
    case Or(left, right) => both(holds(left, value).map(!_), holds(right, value).map(!_)).map(!_)
    case Not(child) => holds(child, value).map(!_)
    case IsNull(name) => Some(value(name) == null)
    case IsNotNull(name) => Some(value(name) != null)
    case EqualNullSafe(name, other) => Some(compared(value(name), other).fold(value(name) == other)(_ == 0))
    case EqualTo(name, other) => compared(value(name), other).map(_ == 0)
    case GreaterThan(name, other) => compared(value(name), other).map(_ > 0)
    case GreaterThanOrEqual(name, other) => compared(value(name), other).map(_ >= 0)
    case LessThan(name, other) => compared(value(name), other).map(_ < 0)
    case LessThanOrEqual(name, other) => compared(value(name), other).map(_ <= 0)
    case In(name, others) =>
      val equal = others.toSeq.map(compared(value(name), _).map(_ == 0))
      if (equal.contains(Some(true))) Some(true) else if (equal.contains(None)) None else Some(false)
    case StringStartsWith(name, part) => text(value(name)).map(_.startsWith(part))
    case StringEndsWith(name, part) => text(value(name)).map(_.endsWith(part))
    case StringContains(name, part) => text(value(name)).map(_.contains(part))
    case _ => None
  }

  private def both(one: Option[Boolean], other: Option[Boolean]): Option[Boolean] =
    if (one.contains(false) || other.contains(false)) Some(false) else one.zip(other).map(_ => true)

  private def text(value: Any): Option[String] = Option(value).collect { case text: String => text }

  /** As Spark orders them: strings by their bytes; of floats, 0 and -0 are equal. */
  private def compared(one: Any, other: Any): Option[Int] = (one, other) match {
    case (a: String, b: String) => Some(UTF8String.fromString(a).compareTo(UTF8String.fromString(b)))
    case (a: Double, b: Double) => Some(if (a == b) 0 else a.compare(b))
    case (a: Int, b: Int) => Some(a.compare(b))
    case (a: Long, b: Long) => Some(a.compare(b))
    case _ => None
  }
}
