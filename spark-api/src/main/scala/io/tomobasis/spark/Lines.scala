package io.tomobasis.spark

import org.slf4j.LoggerFactory

/** Where progress and notes go. */
private[spark] object Lines {
  private val log = LoggerFactory.getLogger("io.tomobasis")

  /** Slices that are left out are a warning, which a session shows that was not told otherwise. */
  def say(line: String): Unit = if (line.startsWith("skipped: ")) log.warn(line) else log.info(line)
}
