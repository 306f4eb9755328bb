package io.tomobasis.run

import com.fasterxml.jackson.databind.JsonNode
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path}

import scala.jdk.CollectionConverters._

import io.tomobasis.commit.{Commit, HadoopStore}
import io.tomobasis.io.Faults
import io.tomobasis.jni.{AllSeries, Errors, ResultKind}
import io.tomobasis.jni.Errors.{Operation, Refusal}

/**
 * The output of `--series all`: a folder for each series, and the index. On the driver and in tasks.
 *
 * @param output as the user named it
 */
final class ArchiveFolder private (output: String, fs: FileSystem, root: Path) {
  private val store = new HadoopStore(fs, root)

  /** The folder of a series. */
  def of(series: String): String = s"${output.stripSuffix("/")}/$series"

  /** What is in it. */
  def names: Seq[String] = Faults.telling(Operation.LOOK_AT_OUTPUT, ArchiveFolder.Named, fs, root) {
    store.list("").getOrElse(Nil)
  }

  /** Refuses an output that holds something else, or series of another kind. Throws UsageException. */
  def check(kind: ResultKind): Unit = {
    val there = names
    if (!AllSeries.isArchive(there.toArray, index.orNull)) throw Errors.of(Refusal.OUTPUT_NO_ARCHIVE)
    val manifest = Faults.telling(Operation.LOOK_AT_OUTPUT, ArchiveFolder.Named, fs, root) {
      there.iterator
        .filter(name => name.startsWith(ArchiveFolder.Series) && !name.contains('.'))
        .flatMap(series => store.read(s"$series/${Commit.Manifest}"))
        .nextOption()
    }
    manifest.foreach(AllSeries.checkKind(_, kind))
  }

  /** The index, where there is one. */
  def index: Option[Array[Byte]] = Faults.telling(Operation.LOOK_AT_OUTPUT, ArchiveFolder.Named, fs, root) {
    store.read(AllSeries.INDEX)
  }

  /** Makes or replaces the index. */
  def writeIndex(index: Array[Byte]): Unit =
    Faults.telling(Operation.WRITE_FILE, AllSeries.INDEX)(store.publish(AllSeries.INDEX, index))

  /** The result of a series, if it is there, whole and of such slices and options: what `AllSeries.kept` says of it. */
  def kept(series: String, fingerprint: String, options: String): Option[JsonNode] =
    Faults.telling(Operation.LOOK_AT_OUTPUT, ArchiveFolder.Named, fs, root) {
      for {
        _ <- store.read(s"$series/${Commit.Success}")
        manifest <- store.read(s"$series/${Commit.Manifest}")
        kept <- Option(AllSeries.kept(manifest, fingerprint, options)).map(Json.read)
        if areThere(series, kept)
      } yield kept
    }

  /** Whether all files of a result are there in their sizes. */
  private def areThere(series: String, kept: JsonNode): Boolean = {
    val files = kept.get("files").elements.asScala.map(_.asText).zip(kept.get("sizes").elements.asScala.map(_.asLong))
    val byFolder = files.toSeq.groupBy { case (path, _) => path.take(path.lastIndexOf('/').max(0)) }
    byFolder.forall { case (folder, listed) =>
      val path = if (folder.isEmpty) new Path(root, series) else new Path(root, s"$series/$folder")
      val there =
        if (!fs.exists(path)) Map.empty[String, Long]
        else fs.listStatus(path).iterator.filter(_.isFile).map(file => file.getPath.getName -> file.getLen).toMap
      listed.forall { case (file, size) =>
        there.get(file.drop(file.lastIndexOf('/') + 1)).exists(found => size < 0 || found == size)
      }
    }
  }
}

object ArchiveFolder {
  private val Named = OutputPlace.Named

  /** What names of series' folders begin with. */
  private val Series = "series-"

  /** Throws UsageException or ComputationException where it cannot be reached. */
  def at(output: String, conf: Configuration): ArchiveFolder = {
    val place = OutputPlace.of(output, conf)
    new ArchiveFolder(output, place.fs, place.path)
  }
}
