package io.tomobasis.job

import org.apache.spark.SparkException
import org.scalatest.funsuite.AnyFunSuite

import java.io.{ByteArrayInputStream, ByteArrayOutputStream, IOException, ObjectInputStream, ObjectOutputStream}

import io.tomobasis.jni.{ComputationException, InputException, TomoBasisException, UsageException}

class FailureSuite extends AnyFunSuite {
  test("our exceptions keep their code and text, however deep they are wrapped") {
    val input = new InputException("file 2 of 3: it is truncated")
    val wrapped = new SparkException("Job aborted", new RuntimeException(new ExceptionInInitializerError(input)))
    assert(Failure.of(wrapped) == Failure(3, "file 2 of 3: it is truncated"))
    assert(Failure.of(new UsageException("--rank: no")) == Failure(2, "--rank: no"))
    assert(Failure.of(new ComputationException("no")).exitCode == 1)
  }

  test("the text of other exceptions, which may hold a path, is not repeated") {
    val failure = Failure.of(new SparkException("Job aborted\nstack", new IOException("/data/DOE^JOHN/1.dcm")))
    assert(failure.exitCode == 1)
    assert(failure.message.contains("java.io.IOException") && !failure.message.contains("DOE"))
  }

  test("a full disk under Spark's own files is told with the property that names their folder") {
    val full = new SparkException("Job aborted", new IOException("No space left on device"))
    val failure = Failure.of(full)
    assert(failure.exitCode == 1)
    assert(failure.message.startsWith("spark.local.dir: ") && failure.message.contains("the disk is full"))
  }

  test("what Spark says of a lost executor is passed on in one line") {
    val failure = Failure.of(new SparkException("ExecutorLostFailure (exit code 137)\nDriver stacktrace:"))
    assert(failure.message.contains("exit code 137") && failure.message.linesIterator.size == 1)
  }

  test("where Spark's account begins with an empty line, its first paragraph is passed on, without what it quotes") {
    val said = "Job aborted due to stage failure: \nAborting TaskSet 0.0 because task 0 (partition 0)\n" +
      "cannot run anywhere due to node and executor excludeOnFailure.\nMost recent failure:\njava.io.IOException: /data/DOE^JOHN"
    val failure = Failure.of(new SparkException(said))
    assert(
      failure.message.contains("task 0 (partition 0) cannot run anywhere due to node and executor excludeOnFailure")
    )
    assert(!failure.message.contains("DOE") && failure.message.linesIterator.size == 1)
  }

  test("too little memory is told apart from other failures") {
    assert(Failure.of(new SparkException("Job aborted", new OutOfMemoryError)).message.contains("--driver-memory"))
  }

  test("our exceptions survive the way from an executor to the driver") {
    val out = new ByteArrayOutputStream
    new ObjectOutputStream(out).writeObject(new InputException("file 1 of 1"))
    val back = new ObjectInputStream(new ByteArrayInputStream(out.toByteArray)).readObject()
    assert(Failure.of(back.asInstanceOf[TomoBasisException]) == Failure(3, "file 1 of 1"))
  }
}
