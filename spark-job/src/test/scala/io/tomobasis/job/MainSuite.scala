package io.tomobasis.job

import org.scalatest.funsuite.AnyFunSuite

import java.nio.file.{Files, Path}
import java.util.Properties

import scala.util.Using

import io.tomobasis.run.TestFolder._
import io.tomobasis.jni.{LocalFiles, SyntheticCt}

class MainSuite extends AnyFunSuite {
  private def main(args: Any*): (Int, String, String) =
    captured((out, err) => Main.run(args.map(_.toString).toArray, out, err))

  private def refused(code: Int, named: String, args: Any*): Unit = {
    val (exit, out, err) = main(args: _*)
    assert(exit == code, err)
    val errors = err.linesIterator.filter(_.startsWith("error: ")).toSeq
    assert(errors.size == 1 && errors.head.contains(named), err)
    assert(!err.contains("Exception") && !err.contains("\tat "), err)
    assert(out.isEmpty && !err.contains("DOE"), err)
  }

  /** Sees no collections of Scala 2.13. */
  private object OtherScala extends ClassLoader(getClass.getClassLoader) {
    override def loadClass(name: String, resolve: Boolean): Class[_] =
      if (name.startsWith("scala.collection.")) throw new ClassNotFoundException(name)
      else if (!name.startsWith("io.tomobasis.job.")) super.loadClass(name, resolve)
      else
        Option(findLoadedClass(name)).getOrElse {
          val file = getParent.getResourceAsStream(s"${name.replace('.', '/')}.class")
          val bytes = Using.resource(file)(_.readAllBytes())
          defineClass(name, bytes, 0, bytes.length)
        }
  }

  test("the entry point links on another Scala, so that it can refuse it") {
    def link(name: String) = Class.forName(s"io.tomobasis.job.$name", true, OtherScala).getMethods
    assert(link("Main").exists(_.getName == "main") && link("Main$").nonEmpty)
    intercept[LinkageError](link("Program$"))
  }

  test("help and version go to stdout and need neither input nor Spark") {
    val (code, out, err) = main("--help")
    assert(code == 0 && out.contains("--input") && err.isEmpty)
    assert(main("--version")._1 == 0)
  }

  test("bad options and bad input are one line, the documented exit code, and no result") {
    withFolder { base =>
      val output = base.resolve("result")
      val scan = writeSeries(base.resolve("DOE"), new SyntheticCt(3, 8, 6, 1))
      def folder(name: String): Path = Files.createDirectory(base.resolve(name))
      refused(2, "--output", "--input", scan)
      refused(2, "--rank", "--input", scan, "--output", output, "--rank", "0")
      refused(3, "--input", "--input", base.resolve("nowhere"), "--output", output)
      refused(3, "--input", "--input", folder("empty"), "--output", output)
      val text = folder("text")
      Files.write(text.resolve("notes.txt"), "hello".getBytes)
      refused(3, "", "--input", text, "--output", output)
      val two = writeSeries(base.resolve("two"), new SyntheticCt(3, 8, 6, 1), j => s"a/$j")
      writeSeries(two, new SyntheticCt(4, 8, 6, 2), j => s"b/$j")
      refused(2, "--series", "--input", two, "--output", output)
      refused(2, "--output", "--input", scan, "--output", scan)
      refused(2, "--output", "--input", scan, "--output", scan, "--overwrite")
      refused(2, "--output", "--input", scan, "--output", scan.resolve("notes.txt/result"))
      assert(!Files.exists(output))
      assert(filesBelow(scan).size == 5)
    }
  }

  test("a stack trace appears with --verbose only") {
    val (_, _, err) = main("--verbose", "--input", "/nowhere/at/all", "--output", "/nowhere/result")
    assert(err.contains("error: --input") && err.contains("at io.tomobasis.io.Listing"), err)
  }

  test("what a terminal would obey is escaped, in messages and in stack traces") {
    for (verbose <- Seq(Seq.empty, Seq("--verbose"))) {
      val (code, _, err) = main(verbose ++ Seq("--rank", "7\u202e", "--input", "a", "--output", "b"): _*)
      assert(code == 2 && err.contains("7\\u{202e}"), err)
      assert(!err.exists(c => c.isControl && c != '\n' || c == '\u202e'), err)
    }
  }

  test("Spark's log leaves out every character that native code escapes") {
    val settings = new Properties
    Using.resource(getClass.getResourceAsStream("/tomobasis-log4j2.properties"))(settings.load)
    val pattern = settings.getProperty("appender.stderr.layout.pattern")
    val left = "%replace\\{%m}\\{(.*?)}\\{\\?}".r.findFirstMatchIn(pattern).get.group(1)
    val all = (0 to Character.MAX_CODE_POINT).filterNot(c => c >= 0xd800 && c < 0xe000 || c == '\t' || c == '\n')
    val escaped = all.map(Character.toString).filter(c => LocalFiles.printable(c) != c)
    assert(escaped.size > 200 && escaped.forall(_.matches(left)))
  }

  test("an argument that Java could not read is refused by the name of its option") {
    refused(2, "--output: its value is not UTF-8", "--input", "a", "--output", "b\ufffd")
  }

  test("a setting that Spark refuses is a usage error that names it") {
    withFolder { base =>
      val scan = writeSeries(base.resolve("scan"), new SyntheticCt(3, 8, 6, 1))
      def refusedWith(key: String, value: String, said: String): Unit = {
        val before = Option(System.setProperty(key, value))
        try refused(2, said, "--input", scan, "--output", base.resolve("result"))
        finally before.fold(System.clearProperty(key))(System.setProperty(key, _))
      }
      val settings =
        Seq("spark.memory.fraction" -> "much", "spark.broadcast.blockSize" -> "large", "spark.task.cpus" -> "0")
      for ((key, value) <- settings) refusedWith(key, value, s"--conf $key: Spark refuses")
      for (master <- Seq("local[0]", "local[x]", "mars")) refusedWith("spark.master", master, "--master: Spark cannot")
      assert(!Files.exists(base.resolve("result")))
    }
  }
}
