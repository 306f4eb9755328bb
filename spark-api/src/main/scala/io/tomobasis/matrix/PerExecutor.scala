package io.tomobasis.matrix

import io.tomobasis.jni.NativeLibrary

/**
 * A native object that travels as its description and is made once per executor: to be broadcast.
 *
 * Spark keeps the value of a broadcast once per JVM, so its tasks share the object. The object lives as long as that value: when
 * the broadcast is destroyed, or evicted under memory pressure, it becomes unreachable and its memory is freed as that of any
 * forgotten native object; tasks that still use it keep it alive.
 */
abstract class PerExecutor[T] extends Serializable {
  protected def make(): T

  @transient private lazy val made: T = {
    NativeLibrary.load() // fails with its own clear error, where a static initializer would wrap it
    make()
  }

  def get: T = made
}
