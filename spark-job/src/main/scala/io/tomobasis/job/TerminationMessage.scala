package io.tomobasis.job

import java.io.IOException
import java.nio.charset.StandardCharsets
import java.nio.file.{Files, Path, Paths}

/**
 * Why a driver on Kubernetes ended: the one line of its failure, where Kubernetes looks for it. It becomes part of the pod's state,
 * so that whoever follows the job need not search the log.
 */
private[job] object TerminationMessage {

  /** The file of every container (`terminationMessagePath`); elsewhere it does not exist. */
  val File: Path = Paths.get("/dev/termination-log")

  /** Bytes that Kubernetes keeps. */
  private val Limit = 4096

  /** Writes the line if this is a container of Kubernetes; the run's outcome does not depend on it. */
  def write(line: String, file: Path = File): Unit =
    if (Files.isRegularFile(file) && Files.isWritable(file)) {
      try Files.write(file, truncated(line).getBytes(StandardCharsets.UTF_8))
      catch { case _: IOException => () }
    }

  /** The longest beginning of at most [[Limit]] bytes that is whole characters. */
  private def truncated(line: String): String = {
    val bytes = line.getBytes(StandardCharsets.UTF_8)
    if (bytes.length <= Limit) line
    else {
      val end = (0 to Limit).reverse.find(at => (bytes(at) & 0xc0) != 0x80).getOrElse(0)
      new String(bytes, 0, end, StandardCharsets.UTF_8)
    }
  }
}
