package io.tomobasis.job

import org.apache.hadoop.conf.Configuration
import org.scalatest.funsuite.AnyFunSuite

import java.io.{EOFException, FileInputStream, FileNotFoundException, IOException}
import java.nio.file.{Files, Paths}

import scala.util.Try

import io.tomobasis.run.TestFolder.withFolder
import io.tomobasis.io.{Faults, InputFile, InputFiles, StoreFailure, Unreadable}
import io.tomobasis.jni.{ComputationException, Errors, Fault, InputException, ResultKind, UsageException}
import io.tomobasis.jni.Errors.Operation

class FaultsSuite extends AnyFunSuite {
  test("the system's own words in a message are told from a file that is not there") {
    val told = Seq(
      new FileNotFoundException("/data/DOE (Too many open files)") -> Fault.TOO_MANY_OPEN_FILES,
      new IOException("No space left on device") -> Fault.DISK_FULL,
      new IOException("Disk quota exceeded") -> Fault.QUOTA_EXCEEDED,
      new FileNotFoundException("/data/No space left on device") -> Fault.NOT_FOUND,
      new EOFException -> Fault.TRUNCATED,
      new IOException("Input/output error") -> Fault.OTHER
    )
    for ((e, fault) <- told) assert(Faults.of(e) == fault, e)
  }

  test("what the system fails at is a failure of the run, whatever was tried") {
    val full = new IOException("No space left on device")
    for (operation <- Operation.values) {
      val error = intercept[ComputationException](Faults.telling(operation, "x")(throw full))
      assert(error.exitCode == 1 && error.getMessage.contains("(the disk is full)"), error)
    }
    intercept[InputException](Faults.telling(Operation.LIST_INPUT, "--input")(throw new EOFException))
    intercept[UsageException](Faults.telling(Operation.MAKE_OUTPUT, "--output")(throw new EOFException))
    assert(Errors.outputHoldsOthers(ResultKind.RESULT, 2).getMessage.contains("holds 2 more files or folders"))
  }

  test("a process that may open no more files says so, and does not blame the file that it was to read") {
    withFolder { folder =>
      val file = Files.write(folder.resolve("DOE"), Array[Byte](1))
      val limited = s"ulimit -n 512 && exec ${ProcessHandle.current.info.command.get} -XX:-MaxFDLimit " +
        s"-cp ${System.getProperty("java.class.path")} ${TooManyOpenFiles.getClass.getName.stripSuffix("$")} $file"
      val process = new ProcessBuilder("sh", "-c", limited).redirectError(folder.resolve("err").toFile).start()
      val said = new String(process.getInputStream.readAllBytes, "UTF-8")
      assert(process.waitFor() == 0, Files.readString(folder.resolve("err")))
      val limit = "cannot be read \\(too many open files\\); raise the limit on open files \\(ulimit -n\\)"
      assert(said.trim.matches(s"1 file 1 of 1 \\(id [0-9a-f]{8}\\): $limit"), said)
    }
  }
}

/** A process of its own that uses up its files and then reads one more: what the job says of that. */
object TooManyOpenFiles {
  def main(args: Array[String]): Unit = {
    def failure(uri: String): Option[Failure] = {
      val file = InputFile(uri, "name", 1)
      try {
        InputFiles.read(file, 1, new Configuration)
        None
      } catch {
        case StoreFailure(e) => Some(Failure.of(Unreadable(file, 0, 1, verbose = false, e)))
      }
    }
    val there = Paths.get(args(0)).toUri.toString
    // Classes come from files too: those that are needed at the end are loaded by a first failure.
    assert(failure(there).isEmpty && failure(s"$there-gone").nonEmpty)
    val opened = Iterator.continually(Try(new FileInputStream("/dev/null"))).takeWhile(_.isSuccess).map(_.get).toArray
    val last = failure(there)
    opened.foreach(_.close())
    println(last.fold("read")(failure => s"${failure.exitCode} ${failure.message}"))
  }
}
