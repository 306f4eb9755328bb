package io.tomobasis.matrix

import io.tomobasis.jni.NativeLibrary

/**
 * A native object that travels as its description and is made once per executor: to be broadcast.
 *
 * Spark keeps the value of a broadcast once per JVM, so its tasks share the object. Its memory is outside the heap, so no garbage
 * collector feels it: it is freed as soon as the broadcast is let go ([[SharedNatives]]), for which Spark closes the value in each
 * executor. Spark does so too where it evicts the value under memory pressure. Tasks that are at work then have the object until they
 * are done, and one that comes later makes it again.
 */
abstract class PerExecutor[T <: AutoCloseable] extends Serializable with AutoCloseable {
  protected def make(): T

  // After its way to an executor: none, 0 and false.
  @transient private var made: Option[T] = None
  @transient private var users: Int = 0
  @transient private var letGo: Boolean = false

  /** Runs what needs the object, which must not leave it. */
  final def use[R](body: T => R): R = {
    val native = taken()
    try body(native)
    finally givenBack()
  }

  /** Frees the object once nobody uses it. */
  final override def close(): Unit = synchronized {
    letGo = true
    free()
  }

  private def taken(): T = synchronized {
    val native = Option(made).flatten.getOrElse {
      NativeLibrary.load() // fails with its own clear error, where a static initializer would wrap it
      make()
    }
    made = Some(native)
    users += 1
    native
  }

  private def givenBack(): Unit = synchronized {
    users -= 1
    free()
  }

  private def free(): Unit = if (letGo && users == 0) {
    Option(made).flatten.foreach(_.close())
    made = None
  }
}
