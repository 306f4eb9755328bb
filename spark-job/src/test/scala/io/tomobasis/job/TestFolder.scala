package io.tomobasis.job

import java.io.{ByteArrayOutputStream, PrintStream}
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path}
import java.util.Comparator

import scala.jdk.CollectionConverters._

import io.tomobasis.kernels.SyntheticCt

/** Temporary folders, made series in them, and captured output. */
object TestFolder {

  def withFolder[T](body: Path => T): T = {
    val folder = Files.createTempDirectory("tomobasis-test-")
    try body(folder)
    finally Files.walk(folder).sorted(Comparator.reverseOrder[Path]).forEach(Files.delete(_))
  }

  /** Writes a series as files named by `name`, among two files that are no DICOM; returns the folder. */
  def writeSeries(folder: Path, ct: SyntheticCt, name: Int => String = j => f"slice-$j%03d.dcm"): Path = {
    for (j <- 0 until ct.slices) {
      val file = folder.resolve(name(j))
      Files.createDirectories(file.getParent)
      Files.write(file, ct.file(j))
    }
    Files.write(folder.resolve(".hidden"), "not an image".getBytes(UTF_8))
    Files.write(folder.resolve("notes.txt"), "not an image".getBytes(UTF_8))
    folder
  }

  /** Paths of all files below a folder, relative to it, sorted. */
  def filesBelow(folder: Path): Seq[String] = {
    val walk = Files.walk(folder)
    try walk.iterator.asScala.filter(Files.isRegularFile(_)).map(folder.relativize(_).toString).toSeq.sorted
    finally walk.close()
  }

  /** Runs with streams that keep what is printed; returns the result, stdout and stderr. */
  def captured[T](body: (PrintStream, PrintStream) => T): (T, String, String) = {
    val (out, err) = (new ByteArrayOutputStream, new ByteArrayOutputStream)
    val result = body(new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8))
    (result, out.toString(UTF_8), err.toString(UTF_8))
  }
}
