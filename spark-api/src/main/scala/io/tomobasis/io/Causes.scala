package io.tomobasis.io

/** An exception and what caused it. */
object Causes {
  private val Most = 32 // a chain may lead back to itself

  /** Outermost first. */
  def of(e: Throwable): Seq[Throwable] = Iterator.iterate(e)(_.getCause).takeWhile(_ != null).take(Most).toSeq
}
