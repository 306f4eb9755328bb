package io.tomobasis.io

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path

import java.io.{EOFException, FileNotFoundException, IOException}

import scala.util.{Try, Using}

import io.tomobasis.jni.{Fault, LocalFiles}

/** Files of the input, and parts of them: on the local disk, on any Hadoop file system, or in an archive. */
object InputFiles {

  /** The first `count` bytes of a file of known length. */
  def read(file: InputFile, count: Int, conf: Configuration): Array[Byte] = read(file, 0, count, conf)

  /** Bytes of a file; fewer where a local file has fewer than its length says, as those of the system's own file systems do. */
  def available(file: InputFile, start: Long, count: Int, conf: Configuration): Array[Byte] =
    file.local.fold(read(file, start, count, conf))(LocalFiles.read(_, start, count))

  /** `count` bytes of a file of known length, from `start` on. */
  def read(file: InputFile, start: Long, count: Int, conf: Configuration): Array[Byte] = file.packed match {
    case Some(packed) => ArchiveFiles.read(file, packed, start, count, conf)
    case None if file.local.isDefined =>
      val bytes = LocalFiles.read(file.local.get, start, count)
      if (bytes.length < count) throw new EOFException
      bytes
    case None =>
      Using.resource(HadoopFiles.open(file.uri, file.length, "whole-file, sequential", conf)) { in =>
        val bytes = new Array[Byte](count)
        if (start == 0) in.readFully(bytes) else in.readFully(start, bytes)
        bytes
      }
  }

  /** Whether this user may not open a file that is there. Java says of local files only that they are not there. */
  def denied(file: InputFile, e: IOException, conf: Configuration): Boolean = e match {
    case refused if Faults.denied(refused) => true
    case gone: FileNotFoundException if Faults.of(gone) == Fault.NOT_FOUND =>
      val path = new Path(file.uri)
      Try(HadoopFiles.fileSystem(path, conf).exists(path)).getOrElse(false)
    case _ => false
  }
}
