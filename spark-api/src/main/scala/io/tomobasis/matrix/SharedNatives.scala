package io.tomobasis.matrix

import org.apache.spark.SparkContext
import org.apache.spark.broadcast.Broadcast

import scala.collection.mutable
import scala.reflect.ClassTag

/**
 * The native objects that a run has broadcast. What is let go is freed in all executors, and comes again by itself where a task needs it
 * after all: to compute again what was lost, or rows that a user asks for later.
 */
final class SharedNatives(sc: SparkContext) extends AutoCloseable {
  private val shared = mutable.Map.empty[Long, (Broadcast[_], PerExecutor[_])]

  def share[T <: PerExecutor[_]: ClassTag](native: T): Broadcast[T] = {
    val broadcast = sc.broadcast(native)
    synchronized(shared.put(broadcast.id, broadcast -> native))
    broadcast
  }

  /** Lets go of one that was shared here. */
  def letGo(broadcast: Broadcast[_ <: PerExecutor[_]]): Unit = synchronized {
    shared.remove(broadcast.id).foreach { case (broadcast, native) => free(broadcast, native) }
  }

  /** Lets go of all. */
  override def close(): Unit = synchronized {
    shared.values.foreach { case (broadcast, native) => free(broadcast, native) }
    shared.clear()
  }

  private def free(broadcast: Broadcast[_], native: PerExecutor[_]): Unit = {
    native.close() // where executors are in this process, theirs is this one
    if (!sc.isStopped) broadcast.unpersist()
  }
}
