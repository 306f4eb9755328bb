package io.tomobasis.matrix

import org.apache.spark.util.CollectionAccumulator

import io.tomobasis.io.Unreadable
import io.tomobasis.jni.InputException

/** Where tasks leave the bad input that they meet. */
final class BadInput private[tomobasis] (found: CollectionAccumulator[(Int, InputException)]) extends Serializable {

  /** What a task makes of the slices from `slice` on, up to bad input; that a file cannot be read is no such thing. */
  def endsAt[T](slice: Int)(items: => Iterator[T]): Iterator[T] = {
    def attempt[R](otherwise: R)(step: => R): R =
      try step
      catch {
        case e: InputException if !e.isInstanceOf[Unreadable] =>
          found.add(slice -> e)
          otherwise
      }
    Iterator.unfold(attempt(Iterator.empty[T])(items)) { rest =>
      attempt(Option.empty[(T, Iterator[T])])(rest.nextOption().map(_ -> rest))
    }
  }
}
