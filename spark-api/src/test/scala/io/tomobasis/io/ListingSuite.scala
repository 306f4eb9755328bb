package io.tomobasis.io

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{LocatedFileStatus, Path => HadoopPath, RemoteIterator}
import org.scalatest.funsuite.AnyFunSuite

import java.nio.file.{Files, Path}

import io.tomobasis.jni.{InputException, UsageException}
import io.tomobasis.run.FaultyFileSystem
import io.tomobasis.run.TestFolder.{pack, withFolder}

class ListingSuite extends AnyFunSuite {
  private val conf = new Configuration

  private def write(folder: Path, names: String*): Unit = for (name <- names) {
    Files.createDirectories(folder.resolve(name).getParent)
    Files.write(folder.resolve(name), name.getBytes("UTF-8"))
  }

  test("all files are listed in the order of the bytes of their relative path, whatever they are called") {
    withFolder { folder =>
      write(
        folder,
        "b",
        "a/2",
        "a/10",
        "a.dcm",
        "_temporary/x",
        ".hidden",
        ".b.crc",
        "Z",
        "\u00e9",
        "\uffee",
        "\ud83d\ude00"
      )
      val names = Listing.list(Seq(folder.toString), conf).map(_.name)
      assert(
        names == Seq(
          ".b.crc",
          ".hidden",
          "Z",
          "_temporary/x",
          "a.dcm",
          "a/10",
          "a/2",
          "b",
          "\u00e9",
          "\uffee",
          "\ud83d\ude00"
        )
      )
    }
  }

  test("a kind of URI that needs a jar which is not there is refused") {
    for (scheme <- Seq("s3a", "nothing")) {
      val said = intercept[UsageException](Listing.list(Seq(s"$scheme://bucket/a"), conf)).getMessage
      assert(said == "--input: Spark has no file system for this kind of URI; add its jar with --packages")
    }
  }

  test("10,000 files are listed by native code and by Hadoop in one order, each time printed") {
    withFolder { folder =>
      for (i <- 0 until 10000) write(folder, f"${i % 100}%02d/image-$i%05d.dcm")
      val hadoop = new Configuration
      hadoop.set("fs.unlocated.impl", classOf[UnlocatedFileSystem].getName)
      val ways = Seq("native code" -> folder.toString, "Hadoop" -> s"unlocated://fine$folder")
      val listed = for ((way, input) <- ways) yield {
        val runs = Seq.fill(3) {
          val started = System.nanoTime
          val names = Listing.list(Seq(input), hadoop).map(_.name)
          (System.nanoTime - started) / 1e9 -> names
        }
        info(f"10,000 files by $way: ${runs.map(_._1).min}%.3f s, the first time ${runs.head._1}%.3f s")
        runs.head._2
      }
      assert(listed(0).length == 10000 && listed(0) == listed(1))
    }
  }

  test("an archive stands for the files in it, in the order of a folder's files") {
    withFolder { folder =>
      write(folder.resolve("in"), "b", "a/2", "a/10", "Z", "\u00e9", "empty")
      Files.write(folder.resolve("in/empty"), Array.emptyByteArray)
      val plain = Listing.list(Seq(folder.resolve("in").toString), conf)
      for (kind <- Seq("zip", "zip-stored", "tar", "tar.gz")) {
        val archive = pack(folder.resolve("in"), folder.resolve(kind), kind)
        val files = Listing.list(Seq(archive.toString), conf)
        assert(files.map(f => f.name -> f.length) == plain.map(f => f.name -> f.length), kind)
        for (file <- files if !file.streamed)
          assert(
            InputFiles
              .read(file, file.length.toInt, conf)
              .toSeq == (if (file.name == "empty") "" else file.name).getBytes("UTF-8").toSeq,
            kind
          )
      }
    }
  }

  test("inputs are listed in the order of the options, with lengths") {
    withFolder { folder =>
      write(folder, "one/z", "two/a", "single")
      val inputs = Seq("two", "single", "one").map(folder.resolve(_).toString)
      val files = Listing.list(inputs, conf)
      assert(files.map(_.name) == Seq("a", "single", "z"))
      assert(files.map(_.length) == Seq(5, 6, 5))
    }
  }

  test("what is no file is listed with the reason, and a folder that contains itself once") {
    withFolder { folder =>
      write(folder, "a/x")
      Files.createSymbolicLink(folder.resolve("b"), Path.of("nowhere"))
      Files.createSymbolicLink(folder.resolve("a/up"), folder)
      val listed = Listing.list(Seq(folder.toString), conf).map(file => (file.name, file.length, file.unread))
      assert(
        listed == Seq(
          ("a/up", -1L, Some("\"folder-link\"")),
          ("a/x", 3L, None),
          ("b", -1L, Some("\"link\""))
        )
      )
    }
  }

  test("links to files and folders are followed") {
    withFolder { folder =>
      write(folder, "real/a")
      Files.createDirectory(folder.resolve("in"))
      Files.createSymbolicLink(folder.resolve("in/folder"), folder.resolve("real"))
      Files.createSymbolicLink(folder.resolve("in/file"), folder.resolve("real/a"))
      assert(Listing.list(Seq(folder.resolve("in").toString), conf).map(_.name) == Seq("file", "folder/a"))
    }
  }

  test("what cannot be listed is one error that names the option and not the path") {
    withFolder { folder =>
      def refused[E <: Exception: Manifest](input: String): Unit = {
        val said = intercept[E](Listing.list(Seq(input), conf)).getMessage
        assert(said.startsWith("--input") && !said.contains("DOE"), said)
        assert(said.linesIterator.size == 1)
      }
      refused[InputException](folder.resolve("DOE").toString)
      refused[UsageException]("nosuchscheme://DOE/x")
      refused[UsageException]("")
      refused[UsageException](":DOE")
    }
  }
}

/** One that has no time for what a listing does not need. */
class UnlocatedFileSystem extends FaultyFileSystem {
  override def listLocatedStatus(path: HadoopPath): RemoteIterator[LocatedFileStatus] =
    throw new UnsupportedOperationException("where the blocks of files are")
}
