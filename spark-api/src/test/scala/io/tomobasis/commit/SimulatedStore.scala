package io.tomobasis.commit

import java.io.{FileNotFoundException, IOException}
import java.nio.charset.StandardCharsets.UTF_8
import java.util.Arrays

import scala.collection.immutable.TreeMap
import scala.util.Random

/** What a kind of store does in one step. */
final case class StoreKind(
    name: String,
    renamesFolders: Boolean, // in one step; else not at all
    writesWhole: Boolean, // else a file is there, and short, before it is complete
    createsOnce: Boolean = true, // else a file that appeared after a look at its name is replaced
    replacesSame: Boolean = true, // likewise
    losesAnswers: Boolean = false // and repeats the request
)

/**
 * A store in memory. Each request is a turn of the schedule, and what the kind of store does not do at once is several; removing a
 * folder is a request for each file.
 */
final class SimulatedStore(kind: StoreKind, random: Random, schedule: Schedule) extends CommitStore {
  val replacesAtomically: Boolean = kind.replacesSame
  var files = TreeMap.empty[String, Array[Byte]]

  def read(name: String): Option[Array[Byte]] = request(files.get(name))

  def create(name: String, bytes: Array[Byte]): Boolean = {
    val free = request(!files.contains(name))
    val again = kind.losesAnswers && random.nextInt(10) == 0
    if (kind.createsOnce) request {
      val created = !files.contains(name)
      if (created) files += name -> bytes
      created && !again
    }
    else {
      if (free) put(name, bytes)
      free
    }
  }

  def replace(name: String, old: Array[Byte], bytes: Array[Byte]): Boolean = {
    def same = files.get(name).exists(Arrays.equals(_, old))
    val found = request(same)
    val again = kind.losesAnswers && random.nextInt(10) == 0
    if (kind.replacesSame) request {
      val replaced = same
      if (replaced) files += name -> bytes
      replaced && !again
    }
    else {
      if (found) put(name, bytes)
      found
    }
  }

  def put(name: String, bytes: Array[Byte]): Unit = {
    if (!kind.writesWhole) request(files += name -> bytes.take(bytes.length / 2))
    request(files += name -> bytes)
  }

  def putInto(name: String, bytes: Array[Byte]): Unit = {
    val parent = name.take(name.lastIndexOf('/') + 1)
    def inIt[T](action: => T): T = request {
      if (!files.keys.exists(_.startsWith(parent))) throw new FileNotFoundException(name)
      action
    }
    if (!kind.writesWhole) inIt(files += name -> bytes.take(bytes.length / 2))
    inIt(files += name -> bytes)
  }

  def entries(folder: String): Option[Seq[CommitStore.Entry]] = request {
    val inside = below(folder).map(_.drop(if (folder.isEmpty) 0 else folder.length + 1))
    val entries = inside.map(path => CommitStore.Entry(path.takeWhile(_ != '/'), path.contains('/'))).distinct
    Option.when(entries.nonEmpty)(entries)
  }

  def delete(name: String): Boolean = {
    val found = request(below(name))
    found.count(file =>
      request {
        val there = files.contains(file)
        files -= file
        there
      }
    ) > 0
  }

  def rename(from: String, to: String): Boolean = request {
    if (!kind.renamesFolders) throw new IOException("this store does not rename")
    val moving = below(from)
    val free = moving.nonEmpty && below(to).isEmpty
    if (free) for (file <- moving) {
      files += (to + file.drop(from.length)) -> files(file)
      files -= file
    }
    free
  }

  /** Files that a reader who looks now sees below a folder. */
  def now(folder: String): Map[String, String] =
    below(folder).map(file => file.drop(folder.length).dropWhile(_ == '/') -> new String(files(file), UTF_8)).toMap

  private def below(name: String): Seq[String] =
    files.keys.filter(file => name.isEmpty || file == name || file.startsWith(s"$name/")).toSeq

  private def request[T](action: => T): T = {
    schedule.step()
    action
  }
}
