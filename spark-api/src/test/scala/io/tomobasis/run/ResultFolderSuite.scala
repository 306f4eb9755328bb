package io.tomobasis.run

import org.scalatest.funsuite.AnyFunSuite

import java.nio.file.{Files, Path}

import TestFolder.{filesBelow, withFolder}
import io.tomobasis.commit.HadoopStore
import io.tomobasis.jni.{ComputationException, ResultKind, TomoBasisException, UsageException}

class ResultFolderSuite extends AnyFunSuite {
  private val conf = FaultyFileSystem.hadoop()

  private def check(output: Any, overwrite: Boolean = false, run: String = "") =
    ResultFolder.check(output.toString, overwrite, run, conf)

  private def writeResult(folder: ResultFolder, manifest: String): Unit = {
    folder.prepare()
    folder.forTasks(null)
    folder.write("pictures/a.png", Array[Byte](1))
    folder.write("manifest.json", manifestOf(manifest).getBytes)
  }

  /** The least that a manifest needs to be known, and something to tell it by. */
  private def manifestOf(what: String): String = s"""{"format": "tomobasis result 1", "what": "$what"}"""

  test("a result appears whole, without helpers, and _SUCCESS is the last file") {
    withFolder { base =>
      FaultyFileSystem.recorded()
      val folder = check(s"faulty://fine$base/result")
      writeResult(folder, "one")
      assert(!Files.exists(base.resolve("result")))
      folder.commit()
      assert(filesBelow(base) == Seq("result/_SUCCESS", "result/manifest.json", "result/pictures/a.png"))
      assert(FaultyFileSystem.recorded().last == "_SUCCESS")
    }
  }

  test("where only what was there at the beginning may go, a result that another run puts there stays") {
    for (scheme <- Seq("faulty", "gs")) withFolder { base =>
      def begun(what: String) = {
        val output = s"$scheme://fine$base/result"
        val folder = ResultFolder.check(output, overwrite = true, what, conf, ResultKind.RESULT, anyOther = false)
        writeResult(folder, what)
        folder
      }
      def manifest = Files.readString(base.resolve("result/manifest.json"))
      // Of two at once, the one that began last on an object store; else the first to end.
      val (first, second) = (begun("first"), begun("second"))
      val (winner, loser, won) = if (scheme == "gs") (second, first, "second") else (first, second, "first")
      winner.commit()
      intercept[TomoBasisException](loser.commit())
      loser.abort()
      assert(manifest == manifestOf(won), scheme)
      val (third, fourth) = (begun("third"), begun("fourth"))
      val (next, late, stays) = if (scheme == "gs") (fourth, third, "fourth") else (third, fourth, "third")
      next.commit()
      intercept[TomoBasisException](late.commit())
      late.abort()
      assert(manifest == manifestOf(stays), scheme)
      if (scheme != "gs") assert(filesBelow(base).map(_.split('/').head).distinct == Seq("result"))
    }
  }

  test("an abandoned result leaves nothing") {
    for (scheme <- Seq("faulty", "gs")) withFolder { base =>
      val folder = check(s"$scheme://fine$base/result")
      writeResult(folder, "one")
      folder.abort()
      assert(filesBelow(base).isEmpty, scheme)
    }
  }

  test("on an object store files go to their places at once and _SUCCESS is still the last") {
    withFolder { base =>
      FaultyFileSystem.recorded()
      val folder = check(s"gs://bucket$base/result")
      writeResult(folder, "one")
      assert(Files.exists(base.resolve("result/pictures/a.png")))
      folder.commit()
      assert(FaultyFileSystem.recorded() == Seq("_UNFINISHED", "a.png", "manifest.json", "_SUCCESS"))
      assert(!Files.exists(base.resolve("result/_UNFINISHED")))
    }
  }

  test("what a killed run left on an object store is begun again by the same run, and by others only on request") {
    withFolder { base =>
      val output = s"gs://bucket$base/result"
      val killed = check(output, run = "one")
      killed.prepare()
      killed.forTasks(null)
      killed.write("basis/part-00000.parquet", Array[Byte](1))
      for (other <- Seq("two", "")) {
        val said = intercept[UsageException](check(output, run = other)).getMessage
        assert(said.contains("unfinished") && said.contains("--overwrite"), said)
      }
      check(output, overwrite = true, run = "two")
      val again = check(output, run = "one")
      writeResult(again, "again")
      again.commit()
      val place = s"result/run-${again.runId}"
      assert(filesBelow(base) == Seq("result/_SUCCESS", "result/manifest.json", s"$place/pictures/a.png"))
      assert(intercept[UsageException](check(output, run = "one")).getMessage.contains("exists already"))
    }
  }

  test("a run that fails before it writes leaves the old result on an object store") {
    withFolder { base =>
      writeOnce(base.resolve("result"), "old")
      val folder = check(s"gs://bucket$base/result", overwrite = true)
      folder.prepare()
      folder.abort()
      assert(Files.readString(base.resolve("result/manifest.json")) == manifestOf("old"))
    }
  }

  test("an output that exists is refused unless it is a result to overwrite") {
    withFolder { base =>
      val output = base.resolve("result")
      writeOnce(output, "old")
      assert(intercept[UsageException](check(output)).getMessage.contains("--overwrite"))
      val folder = check(output, overwrite = true)
      writeResult(folder, "new")
      assert(Files.readString(output.resolve("manifest.json")) == manifestOf("old"), "replaced before the end")
      folder.commit()
      assert(Files.readString(output.resolve("manifest.json")) == manifestOf("new"))
      assert(Files.list(base).count == 1)
    }
  }

  test("no output is made in a result, whatever leads there and on any store") {
    withFolder { base =>
      val result = base.resolve("result")
      writeOnce(result, "old")
      Files.createSymbolicLink(base.resolve("link"), result)
      val inside = Seq("result/more", "result/basis/new/more", "link/more", "other/../result/more")
      for (place <- inside; scheme <- Seq("file://", "faulty://fine", "gs://bucket"); overwrite <- Seq(false, true)) {
        val output = s"$scheme$base/$place"
        if (scheme == "file://" || !place.startsWith("link")) {
          val said = intercept[UsageException](check(output, overwrite)).getMessage
          assert(said.startsWith("--output: it lies in a result, which holds nothing but its files"), output)
        }
      }
      val archive = intercept[UsageException](ArchiveFolder.at(s"$result/archive", conf)).getMessage
      assert(archive.startsWith("--output: it lies in a result"))
      Files.delete(result.resolve("_SUCCESS"))
      check(result.resolve("more"))
      ArchiveFolder.at(s"$result/archive", conf)
      assert(intercept[UsageException](check("s3a://bucket/a")).getMessage.contains("add its jar with --packages"))
    }
  }

  test("a folder of something else is never overwritten, an empty one is") {
    withFolder { base =>
      val foreign = Files.createDirectory(base.resolve("scan"))
      Files.write(foreign.resolve("1.dcm"), Array[Byte](1))
      assert(intercept[UsageException](check(foreign, overwrite = true)).getMessage.contains("not a result folder"))
      assert(
        intercept[UsageException](check(foreign.resolve("1.dcm"), overwrite = true)).getMessage.contains("--output")
      )
      for (other <- Seq("{\"name\": \"my web app\"}", "[]", "")) {
        Files.writeString(foreign.resolve("manifest.json"), other)
        for (scheme <- Seq("faulty://fine", "gs://bucket")) {
          assert(
            intercept[UsageException](check(s"$scheme$foreign", overwrite = true)).getMessage
              .contains("not a result folder")
          )
          assert(filesBelow(foreign) == Seq("1.dcm", "manifest.json"), scheme)
        }
      }
      val empty = Files.createDirectory(base.resolve("empty"))
      writeOnce(empty, "new", overwrite = true)
      assert(Files.exists(empty.resolve("_SUCCESS")))
    }
  }

  test(
    "a result with something else beside it is not replaced, and no folder of somebody's is taken for a replaced one"
  ) {
    withFolder { base =>
      val output = base.resolve("result")
      writeOnce(output, "old")
      Files.writeString(output.resolve("notes.txt"), "mine")
      val said = intercept[UsageException](check(output, overwrite = true)).getMessage
      assert(said.contains("holds 1 more file or folder, which --overwrite would remove"), said)
      Files.move(output, base.resolve("result.old-2024"))
      Files.createDirectory(base.resolve("result.old-my-notes"))
      check(output)
      assert(!Files.exists(output))
      Files.move(base.resolve("result.old-2024"), base.resolve("result.old-01234567-89abcdef"))
      assert(intercept[UsageException](check(output)).getMessage.contains("exists already"))
    }
  }

  test("files of somebody's in the folders of a result keep it from being overwritten, on any store") {
    for (scheme <- Seq("faulty://fine", "gs://bucket")) withFolder { base =>
      val output = base.resolve("result")
      val (first, second) = (check(s"$scheme$output"), () => check(s"$scheme$output", overwrite = true))
      first.prepare()
      first.forTasks(null)
      for (name <- Seq("dicom/k=2/slice-00000.dcm", "report.html")) first.write(name, Array[Byte](1))
      val files = """[{"path": "dicom/k=2/slice-00000.dcm"}]"""
      val run = s"""{"report": {"path": "report.html"}, "folder": "${first.folder}"}"""
      first.write("manifest.json", s"""{"format": "tomobasis result 1", "files": $files, "run": $run}""".getBytes)
      first.commit()
      // A folder with a run's name, which only object stores leave, and one in the place of a file.
      val (inPlace, ofRun) = ("weights.parquet/mine", "run-3f2a9c01-77aa12bc/mine")
      val renames = scheme.startsWith("faulty")
      for (name <- Seq("dicom/k=2/mine.dcm", "pictures/mine.png", inPlace) ++ Option.when(renames)(ofRun)) {
        val mine = output.resolve(first.folder).resolve(name)
        Files.createDirectories(mine.getParent)
        Files.write(mine, Array[Byte](1))
        val said = intercept[UsageException](second()).getMessage
        assert(said.contains("holds 1 more file or folder, which --overwrite would remove"), said)
        Files.delete(mine)
        if (Files.list(mine.getParent).count == 0) Files.delete(mine.getParent)
      }
      val stays = output.resolve(ofRun)
      if (!renames) {
        Files.createDirectories(stays.getParent)
        Files.write(stays, Array[Byte](1))
      }
      val again = second()
      writeResult(again, "again")
      again.commit()
      assert(Files.readString(output.resolve("manifest.json")) == manifestOf("again"))
      assert(Files.exists(stays) == !renames)
    }
  }

  test("what a run left that was killed after it replaced a result is removed by the next that may overwrite") {
    withFolder { base =>
      val output = base.resolve("result")
      val id = "01234567-89abcdef"
      val left = Seq(s"result.old-$id", s"result.tmp-$id.result.old-$id", s"result.tmp-$id._attempts")
      val mine = Seq("result.old-2024-11", "result.tmp-my-notes.bak", s"result.tmp-$id.notes")
      writeOnce(output, "standing")
      for (name <- left ++ mine) {
        writeOnce(base.resolve("other"), name)
        Files.move(base.resolve("other"), base.resolve(name))
      }
      intercept[UsageException](check(output))
      assert(Files.list(base).count == 7)
      writeOnce(output, "new", overwrite = true)
      assert(Files.readString(output.resolve("manifest.json")) == manifestOf("new"))
      assert(Files.list(base).map(_.getFileName.toString).sorted.toArray.toSeq == "result" +: mine.sorted)
    }
  }

  test("a rename of what is gone makes no folder") {
    withFolder { base =>
      val store = new HadoopStore(
        new org.apache.hadoop.fs.Path(s"faulty://fine$base").getFileSystem(conf),
        new org.apache.hadoop.fs.Path(s"faulty://fine$base")
      )
      assert(!store.rename("gone", "folder/name"))
      assert(Files.list(base).count == 0)
    }
  }

  test("an output that appeared meanwhile is not replaced") {
    withFolder { base =>
      val folder = check(base.resolve("result"))
      writeResult(folder, "late")
      writeOnce(base.resolve("result"), "early")
      intercept[UsageException](folder.commit())
      folder.abort()
      assert(Files.readString(base.resolve("result/manifest.json")) == manifestOf("early"))
      assert(Files.list(base).count == 1)
    }
  }

  test("an output that cannot be written is a usage error and leaves nothing") {
    withFolder { base =>
      Files.write(base.resolve("file"), Array[Byte](1))
      val said = intercept[UsageException](check(base.resolve("file/result")).prepare()).getMessage
      assert(said.startsWith("--output: cannot write there"), said)
      assert(filesBelow(base) == Seq("file"))
    }
  }

  test("folders above the output go with a run that made them and failed, unless something is in them") {
    for (scheme <- Seq("faulty", "file")) withFolder { base =>
      val output = s"$scheme://${if (scheme == "file") "" else "fine"}$base/new/deep/result"
      val folder = check(output)
      writeResult(folder, "given up")
      folder.abort()
      assert(Files.list(base).count == 0, scheme)
      val other = check(output)
      writeResult(other, "given up")
      Files.createFile(base.resolve("new/notes.txt"))
      other.abort()
      assert(filesBelow(base) == Seq("new/notes.txt") && !Files.exists(base.resolve("new/deep")), scheme)
      val done = check(output)
      writeResult(done, "done")
      done.commit()
      assert(Files.exists(base.resolve("new/deep/result/_SUCCESS")), scheme)
    }
  }

  test("a disk that is full names the file and not its path") {
    withFolder { base =>
      val folder = check(s"faulty://full$base/DOE")
      folder.prepare()
      val said = intercept[ComputationException](folder.write("weights.parquet", new Array[Byte](1000))).getMessage
      assert(said.startsWith("weights.parquet: cannot be written (the disk is full)") && !said.contains("DOE"), said)
      folder.abort()
      assert(Files.list(base).count == 0)
    }
  }

  private def writeOnce(output: Path, manifest: String, overwrite: Boolean = false): Unit = {
    val folder = check(output, overwrite)
    writeResult(folder, manifest)
    folder.commit()
  }
}
