package io.tomobasis.run

import org.apache.hadoop.fs.Path
import org.apache.spark.TaskContext
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.util.SerializableConfiguration

import io.tomobasis.commit.{HadoopStore, PartFiles}
import io.tomobasis.io.{Faults, HadoopFiles}
import io.tomobasis.jni.Errors.Operation
import io.tomobasis.matrix.ResultWriter

/**
 * The result folder as tasks see it.
 *
 * @param root   the folder of the store
 * @param folder where the result is written, below it
 */
final case class TaskFolder(
    root: String,
    folder: String,
    parts: PartFiles,
    hadoop: Broadcast[SerializableConfiguration]
) extends ResultWriter {

  override def write(name: String, bytes: Array[Byte]): Unit = {
    val path = new Path(root)
    val store = new HadoopStore(HadoopFiles.fileSystem(path, hadoop.value.value), path)
    Faults.telling(Operation.WRITE_FILE, name)(
      parts.write(store, folder, name, TaskContext.get().taskAttemptId(), bytes)
    )
  }
}
