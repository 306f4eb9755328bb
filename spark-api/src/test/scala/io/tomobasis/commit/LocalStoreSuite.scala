package io.tomobasis.commit

import jdk.jfr.Recording
import jdk.jfr.consumer.RecordingFile
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{ParentNotDirectoryException, Path => HadoopPath}
import org.scalatest.funsuite.AnyFunSuite

import java.io.FileNotFoundException
import java.nio.file.{Files, Path}
import java.util.concurrent.{CyclicBarrier, Executors}

import scala.jdk.CollectionConverters._
import scala.util.Using

import io.tomobasis.io.HadoopFiles
import io.tomobasis.run.TestFolder.withFolder

class LocalStoreSuite extends AnyFunSuite {
  private val bytes = Array[Byte](1, 2, 3)

  private def store(base: Path) = {
    val root = new HadoopPath(base.toUri)
    new HadoopStore(HadoopFiles.fileSystem(root, new Configuration), root)
  }

  /** The commands of processes that are started meanwhile. */
  private def started(base: Path)(work: => Unit): Seq[String] = Using.resource(new Recording) { recording =>
    recording.enable("jdk.ProcessStart")
    recording.start()
    work
    recording.stop()
    val file = base.resolve("recording.jfr")
    recording.dump(file)
    RecordingFile.readAllEvents(file).asScala.toSeq.map(_.getString("command"))
  }

  test("files and folders are made without a process for each, with the permissions that the system gives") {
    withFolder { base =>
      val known = store(base)
      val commands = started(base) {
        known.put("result/basis/part", bytes)
        known.putInto("result/basis/other", bytes)
        assert(known.rename("result/basis/other", "result/pictures/other"))
        assert(known.create("result/once", bytes) && !known.create("result/once", bytes))
      }
      assert(commands.isEmpty)
      val (file, folder) = (Files.createFile(base.resolve("file")), Files.createDirectory(base.resolve("folder")))
      for (made <- Seq("result/basis/part", "result/pictures/other", "result/once"))
        assert(Files.getPosixFilePermissions(base.resolve(made)) == Files.getPosixFilePermissions(file), made)
      for (made <- Seq("result", "result/basis", "result/pictures"))
        assert(Files.getPosixFilePermissions(base.resolve(made)) == Files.getPosixFilePermissions(folder), made)
    }
  }

  test("the recording that the test above looks at does see processes") {
    withFolder(base => assert(started(base) { new ProcessBuilder("true").start().waitFor(); () } == Seq("true")))
  }

  test("a file where a folder should be, and a folder that is not there, are told apart") {
    withFolder { base =>
      val known = store(base)
      known.put("file", bytes)
      intercept[ParentNotDirectoryException](known.put("file/below", bytes))
      intercept[FileNotFoundException](known.putInto("absent/file", bytes))
      assert(known.list("absent").isEmpty && known.list("file").contains(Seq("file")))
      assert(known.list("").contains(Seq("file")) && known.entries("").exists(_.map(_.name) == Seq("file")))
    }
  }

  test("tasks that make the same folders at one moment are not in each other's way") {
    withFolder { base =>
      val known = store(base)
      val tasks = Executors.newFixedThreadPool(8)
      try
        for (round <- 1 to 200) {
          val together = new CyclicBarrier(8)
          val made = (1 to 8).map { task =>
            tasks.submit[Unit] { () =>
              together.await()
              known.put(s"$round/basis/part-$task", bytes)
            }
          }
          made.foreach(_.get())
        }
      finally tasks.shutdownNow()
    }
  }
}
