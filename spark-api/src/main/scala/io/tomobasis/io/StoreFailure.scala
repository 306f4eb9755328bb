package io.tomobasis.io

import org.apache.hadoop.fs.FSError

import java.io.IOException

/**
 * A failure of a file system: an IOException, or the Error that Hadoop makes of one where a local disk's stream fails in the middle
 * (a full disk, a bad sector).
 */
object StoreFailure {
  def unapply(thrown: Throwable): Option[IOException] = thrown match {
    case e: IOException => Some(e)
    case e: FSError =>
      Some(e.getCause match {
        case cause: IOException => cause
        case _ => new IOException(e)
      })
    case _ => None
  }
}
