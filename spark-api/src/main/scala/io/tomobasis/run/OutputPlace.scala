package io.tomobasis.run

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path, RawLocalFileSystem, UnsupportedFileSystemException}

import java.nio.file.Files

import scala.util.Try

import io.tomobasis.commit.Commit
import io.tomobasis.io.{Faults, HadoopFiles}
import io.tomobasis.jni.Errors.Operation
import io.tomobasis.jni.UsageException

/** Where the user wants an output: its file system, and its path there. */
private[run] final case class OutputPlace(fs: FileSystem, path: Path)

private[run] object OutputPlace {
  val Named = "--output"

  /** Throws UsageException for a place that no output can have, ComputationException where the system fails. */
  def of(output: String, conf: Configuration): OutputPlace = telling {
    val path = new Path(output)
    val fs =
      try HadoopFiles.fileSystem(path, conf)
      catch {
        case e: UnsupportedFileSystemException => throw new UsageException(s"$Named: ${HadoopFiles.Unsupported}", e)
      }
    val place = OutputPlace(fs, fs.makeQualified(path))
    if (liesInResult(place))
      throw new UsageException(
        s"$Named: it lies in a result, which holds nothing but its files; name a place beside the result"
      )
    place
  }

  /** Does something there, whose failure becomes the error that says so. */
  def telling[T](body: => T): T =
    try Faults.telling(Operation.REACH_OUTPUT, Named)(body)
    catch {
      case e: IllegalArgumentException => throw new UsageException(s"$Named: this is neither a path nor a URI", e)
    }

  /** Whether a folder above is a finished result, whatever links lead there. */
  private def liesInResult(place: OutputPlace): Boolean = {
    val names = Seq(Commit.Manifest, Commit.Success)
    def above[T <: AnyRef](one: T)(parent: T => T) = Iterator.iterate(parent(one))(parent).takeWhile(_ != null)
    place.fs match {
      case local: RawLocalFileSystem =>
        val known =
          above(local.pathToFile(place.path).toPath)(_.getParent).find(Files.exists(_)).map(_.toRealPath())
        known.exists(folder =>
          (Iterator(folder) ++ above(folder)(_.getParent))
            .exists(one => names.forall(name => Files.isRegularFile(one.resolve(name))))
        )
      case fs =>
        // Who may write a folder may not always look above it.
        def isFile(file: Path) = Try(fs.getFileStatus(file).isFile).getOrElse(false)
        above(place.path)(_.getParent).exists(folder => names.forall(name => isFile(new Path(folder, name))))
    }
  }
}
