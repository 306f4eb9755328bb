package io.tomobasis.io

import java.io.IOException

import io.tomobasis.jni.{Archive, InputException, TomoBasisException}

/** The error for a file that Hadoop could not read. Unlike other bad input, another try may find it well. */
final class Unreadable private (text: String, cause: Throwable) extends InputException(text, cause)

object Unreadable {

  /** The error for a file at its place in the listing; one of another kind where the system failed, which says nothing of the file. */
  def apply(file: InputFile, index: Int, count: Int, verbose: Boolean, cause: IOException): TomoBasisException =
    cause match {
      case damaged: DamagedFile => // in every try
        new InputException(s"${file.label(index, count, verbose)}: ${Archive.damagedFile()}", damaged)
      case _ =>
        Faults.unreadable(file.label(index, count, verbose), cause, verbose) match {
          case bad: InputException => new Unreadable(bad.getMessage, bad.getCause)
          case ofSystem => ofSystem
        }
    }
}
