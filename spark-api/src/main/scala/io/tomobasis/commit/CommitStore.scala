package io.tomobasis.commit

/**
 * A tree of files below one folder. Names are relative to it, with `/`; a folder need not be made before a file is put into it.
 *
 * Each operation may throw an IOException, after which it may have happened or not.
 */
trait CommitStore {

  /** What is in a file; None where there is none. */
  def read(name: String): Option[Array[Byte]]

  /** Makes a file unless there is one; whether it did. Atomic on the stores of [[CommitByManifest]]. */
  def create(name: String, bytes: Array[Byte]): Boolean

  /** Whether [[replace]] is atomic, and not a look followed by a replacement. */
  def replacesAtomically: Boolean

  /** Replaces a file that still holds `old`; whether it did. */
  def replace(name: String, old: Array[Byte], bytes: Array[Byte]): Boolean

  /** Makes or replaces a file. */
  def put(name: String, bytes: Array[Byte]): Unit

  /** The same, but fails where the file's folder is not there. */
  def putInto(name: String, bytes: Array[Byte]): Unit

  /** What is in a folder, without what is below it; None where there is no such folder. */
  def entries(folder: String): Option[Seq[CommitStore.Entry]]

  /** The names of it. */
  def list(folder: String): Option[Seq[String]] = entries(folder).map(_.map(_.name))

  /** Removes a file, or a folder with all that is in it; whether this call did. */
  def delete(name: String): Boolean

  /** Renames a file or a folder to a name that is free; whether it did. Atomic on the stores of [[CommitByRename]]. */
  def rename(from: String, to: String): Boolean
}

object CommitStore {

  /** A file, or a folder. */
  final case class Entry(name: String, isFolder: Boolean) {

    /** As native code tells folders from files. */
    def marked: String = if (isFolder) s"$name/" else name
  }
}
