package io.tomobasis.job

import org.apache.hadoop.fs.Path
import org.apache.spark.TaskContext
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.util.SerializableConfiguration

import java.io.IOException

import io.tomobasis.kernels.ComputationException

/**
 * The result folder as tasks see it. Retries and speculative copies of a task write the same bytes, so whoever comes first is
 * right: each attempt writes a file of its own and renames it; on an object store a file appears when it is closed, whole.
 */
final case class TaskFolder(work: String, staged: Boolean, hadoop: Broadcast[SerializableConfiguration]) {

  def write(name: String, bytes: Array[Byte]): Unit = {
    val target = new Path(work, name)
    val fs = HadoopFiles.fileSystem(target, hadoop.value.value)
    if (!staged) ResultFolder.writeFile(fs, target, name, bytes, makeFolders = true)
    else {
      val attempt = new Path(work, s"${TaskFolder.Attempts}/${target.getName}-${TaskContext.get().taskAttemptId()}")
      ResultFolder.writeFile(fs, attempt, name, bytes, makeFolders = false)
      try {
        fs.mkdirs(target.getParent)
        if (!fs.rename(attempt, target) && !fs.exists(target)) throw new IOException("rename")
      } catch {
        case e: IOException =>
          throw new ComputationException(s"$name: cannot be moved to its place (${HadoopFiles.reason(e)})", e)
      }
    }
  }
}

object TaskFolder {
  private[job] val Attempts = "_attempts"
}
