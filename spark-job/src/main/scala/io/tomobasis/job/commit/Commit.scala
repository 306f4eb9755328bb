package io.tomobasis.job.commit

import scala.jdk.CollectionConverters._
import scala.util.Try

import com.fasterxml.jackson.databind.ObjectMapper

import io.tomobasis.jni.{ComputationException, UsageException}

/**
 * The commit of one result by one attempt of a run: [[check]], [[prepare]], then files below [[folder]] (by [[PartFiles]] and
 * `store.put`), then [[commit]] or [[abort]].
 *
 * Whatever other runs do meanwhile, and wherever this one is paused or killed: a folder with `_SUCCESS` is the complete result of one
 * attempt; a finished result goes only for a run that was asked to overwrite, after the new one stands; and a run that says that
 * it is done had its result there.
 */
abstract class Commit(val store: CommitStore) {

  /**
   * Refuses an output that exists, unless it may be overwritten, and finishes what a killed run had decided. Whether the result that
   * is there now is that of an earlier attempt of this run, so that nothing is left to do.
   */
  def check(): Boolean

  /** Takes the output over, as far as that can be undone. */
  def prepare(): Unit

  /** Where this attempt's files go, below the store's folder. */
  def folder: String

  /** Where readers find the files, below the result folder: goes into the manifest. */
  def folderInResult: String

  /** How tasks write into the folder. */
  def parts: PartFiles

  /** Makes all that was written, and this manifest, the result. */
  def commit(manifest: Array[Byte]): Unit

  /** Removes what this attempt wrote, unless it became the result. */
  def abort(): Unit

  /**
   * How many files or folders lie in the folders of the result in `folder`, or have the names of what a result may hold, that its
   * manifest does not list; 0 where it lists none.
   */
  protected def unlisted(folder: String): Int =
    store.read(PartFiles.below(folder, Commit.Manifest)).flatMap(Commit.listed).fold(0) { listed =>
      val folders = listed.paths.flatMap(Commit.above)
      def isOfResult(path: String) = listed.paths(path) || folders(path) || path.matches("(.*/)?\\.[^/]*\\.crc")
      def names(inside: String) = store.list(PartFiles.below(folder, inside)).getOrElse(Nil)
      // Plain names beside a run's folder are of attempts that were taken over.
      val atTop = if (listed.inPlace) names("").filter(Commit.Contents) else Nil
      (atTop ++ folders.toSeq.flatMap(inside => names(inside).map(name => s"$inside/$name"))).count(!isOfResult(_))
    }
}

object Commit {
  val Manifest = "manifest.json"
  val Success = "_SUCCESS"
  val Unfinished = "_UNFINISHED"

  /** What a result folder may hold besides: names that `--overwrite` may remove. */
  val Contents: Set[String] =
    Set("singular_values.parquet", "weights.parquet", "basis", "pictures", "report.html", "dicom")

  private val mapper = new ObjectMapper

  /** Whether it is the manifest of a result, of whatever version. Other programs have a `manifest.json` too. */
  private[commit] def isManifest(bytes: Array[Byte]): Boolean =
    Try(mapper.readTree(bytes).path("format").asText).toOption.exists(_.startsWith("tomobasis result "))

  /** Files by their paths below the manifest, and whether they are beside it and not in a run's folder. */
  private[commit] final case class Listed(paths: Set[String], inPlace: Boolean)

  /** The files that a manifest lists; None where it lists none, as those of earlier versions. */
  private[commit] def listed(manifest: Array[Byte]): Option[Listed] =
    Try(mapper.readTree(manifest)).toOption.filter(_.path("files").isArray).map { tree =>
      val files = tree.path("files").elements.asScala.toSet ++ Option(tree.path("run").get("report"))
      val place = tree.path("run").path("folder").asText
      Listed(files.map(file => PartFiles.below(place, file.path("path").asText)), place.isEmpty)
    }

  /** The folders that a path leads through. */
  private def above(path: String): Seq[String] =
    path.split('/').init.scanLeft("")(PartFiles.below).toSeq.drop(1)

  /** Whether a result folder may hold the name. */
  private[commit] def isOfResult(name: String): Boolean =
    (Contents + Manifest + Success + Unfinished)(name) || name.matches(s"run-${RunId.Pattern}|\\..*\\.crc")

  private[commit] def existing() =
    new UsageException("--output: it exists already; name another folder or add --overwrite")

  private[commit] def foreign() =
    new UsageException(
      "--output: it exists and is not a result folder, so --overwrite will not replace it; name another folder"
    )

  private[commit] def besideResult(others: Int) =
    new UsageException(
      "--output: the result folder holds " + (if (others == 1) "1 more file or folder"
                                              else s"$others more files or folders") +
        s", which --overwrite would remove; move ${if (others == 1) "it" else "them"}, or name another folder"
    )

  private[commit] def abandoned() =
    new UsageException(
      "--output: an unfinished result is there (its run was killed, or is under way); name another folder or add --overwrite"
    )

  private[commit] def overtaken() =
    new UsageException("--output: another run put its result there meanwhile, which stays; name another folder")

  private[commit] def superseded() =
    new ComputationException(
      "--output: another run took it over while this one ran (the same run's retry, or one with --overwrite); this one left nothing"
    )
}
