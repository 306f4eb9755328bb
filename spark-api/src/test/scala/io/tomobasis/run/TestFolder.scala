package io.tomobasis.run

import org.apache.commons.compress.archivers.{ArchiveEntry, ArchiveOutputStream}
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream
import org.apache.commons.compress.archivers.zip.{ZipArchiveEntry, ZipArchiveOutputStream}
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream

import java.io.{ByteArrayOutputStream, PrintStream}
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path}
import java.util.Comparator
import java.util.zip.{CRC32, ZipEntry}

import scala.jdk.CollectionConverters._
import scala.util.Using

import io.tomobasis.jni.SyntheticCt

/** Temporary folders, synthetic series in them, and captured output. */
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

  /** Packs a folder as a `zip` (deflated), `zip-stored`, `tar` or `tar.gz`; returns the archive. */
  def pack(folder: Path, archive: Path, kind: String): Path = {
    val file = Files.newOutputStream(archive)
    val out = kind match {
      case "tar" => new TarArchiveOutputStream(file)
      case "tar.gz" => new TarArchiveOutputStream(new GzipCompressorOutputStream(file))
      case _ =>
        val zip = new ZipArchiveOutputStream(file)
        zip.setMethod(if (kind == "zip") ZipEntry.DEFLATED else ZipEntry.STORED)
        zip
    }
    packInto(out.asInstanceOf[ArchiveOutputStream[ArchiveEntry]], folder)
    archive
  }

  private def packInto(out: ArchiveOutputStream[ArchiveEntry], folder: Path): Unit =
    Using.resource(out) { out =>
      for (name <- filesBelow(folder).reverse) {
        val entry = out.createArchiveEntry(folder.resolve(name), name)
        (entry, Files.readAllBytes(folder.resolve(name))) match {
          case (stored: ZipArchiveEntry, bytes) =>
            val crc = new CRC32
            crc.update(bytes)
            stored.setCrc(crc.getValue)
          case _ =>
        }
        out.putArchiveEntry(entry)
        Files.copy(folder.resolve(name), out)
        out.closeArchiveEntry()
      }
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
