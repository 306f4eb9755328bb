package io.tomobasis.commit

import java.nio.charset.StandardCharsets.UTF_8
import java.security.MessageDigest
import java.util.UUID

/**
 * One attempt of a run. `name` is the same for all attempts of a run (`spark.tomobasis.run`), or nothing where nobody gave it one;
 * `id` is this attempt's alone: eight digits of the name, eight of chance. Names may hold anything, ids are part of file names.
 */
final case class RunId(name: String, id: String) {

  /** What the ids of this run's attempts begin with; None where no other attempt can be known. */
  def prefix: Option[String] = Option.when(name.nonEmpty)(id.takeWhile(_ != '-') + "-")

  def isOfSameRun(otherName: String): Boolean = name.nonEmpty && name == otherName
}

object RunId {
  def attemptOf(nameOrNothing: String): RunId = {
    val name = nameOrNothing.replaceAll("\\s+", " ").trim // one line of a claim
    val run = if (name.isEmpty) random() else hex(MessageDigest.getInstance("SHA-256").digest(name.getBytes(UTF_8)))
    RunId(name, s"${run.take(Digits)}-${random().take(Digits)}")
  }

  private val Digits = 8
  private val half = s"[0-9a-f]{$Digits}"

  /** What every id matches, and no name that people give. */
  private[commit] val Pattern: String = s"$half-$half"
  private def random(): String = UUID.randomUUID.toString.filter(_ != '-')
  private def hex(bytes: Array[Byte]): String = bytes.map(b => f"$b%02x").mkString
}
