package io.tomobasis.matrix

/** Where tasks write files of the result. */
trait ResultWriter extends Serializable {

  /** Writes a file, all or nothing; one that a task writes again has the same bytes. */
  def write(name: String, bytes: Array[Byte]): Unit
}
