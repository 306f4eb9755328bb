package io.tomobasis.commit

import java.io.{FileNotFoundException, IOException}
import java.util.Arrays

import io.tomobasis.jni.Errors
import io.tomobasis.jni.Errors.Refusal

/**
 * How tasks write. Retries and speculative copies of a task write the same bytes, so whoever comes first is right; a task that
 * outlives its run changes nothing.
 */
sealed trait PartFiles extends Product with Serializable {

  /** Writes a file of the folder; `attempt` is this attempt's of all tasks. */
  def write(store: CommitStore, folder: String, name: String, attempt: Long, bytes: Array[Byte]): Unit
}

object PartFiles {
  private[commit] val Attempts = "_attempts"

  /** Each attempt writes a file of its own, in a folder that is gone once the run is over, and renames it. */
  case object Renamed extends PartFiles {
    def write(store: CommitStore, folder: String, name: String, attempt: Long, bytes: Array[Byte]): Unit = {
      val own = s"$folder/$Attempts/${name.split('/').last}-$attempt"
      try store.putInto(own, bytes)
      catch {
        case _: FileNotFoundException if store.list(s"$folder/$Attempts").isEmpty =>
          throw Errors.of(Refusal.OUTPUT_SUPERSEDED)
      }
      if (!store.rename(own, s"$folder/$name") && store.read(s"$folder/$name").isEmpty)
        throw new IOException(s"no rename of attempt $attempt")
    }
  }

  /** A file appears whole and is never replaced: what is there already has to be the same. */
  case object Created extends PartFiles {
    def write(store: CommitStore, folder: String, name: String, attempt: Long, bytes: Array[Byte]): Unit = {
      val place = below(folder, name)
      if (!store.create(place, bytes) && !store.read(place).exists(Arrays.equals(_, bytes)))
        throw Errors.of(Refusal.OUTPUT_SUPERSEDED)
    }
  }

  private[commit] def below(folder: String, name: String): String = if (folder.isEmpty) name else s"$folder/$name"
}
