package io.tomobasis.job

import org.scalatest.funsuite.AnyFunSuite

import java.nio.charset.StandardCharsets
import java.nio.file.Files

import io.tomobasis.run.TestFolder._

class TerminationMessageSuite extends AnyFunSuite {
  test("the line is written where Kubernetes made the file, whole characters of at most 4096 bytes of it") {
    withFolder { base =>
      val file = Files.createFile(base.resolve("termination-log"))
      def written(line: String): String = {
        TerminationMessage.write(line, file)
        new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
      }
      assert(written("--rank: 0 is not a number of basis vectors") == "--rank: 0 is not a number of basis vectors")
      assert(written("x" * 4096) == "x" * 4096)
      assert(written("x" * 5000) == "x" * 4096)
      assert(written("\u00e9" * 2047 + "\u20ac\u20ac") == "\u00e9" * 2047)
    }
  }

  test("elsewhere there is no such file, and none is made") {
    withFolder { base =>
      TerminationMessage.write("an error", base.resolve("termination-log"))
      assert(!Files.exists(base.resolve("termination-log")))
    }
  }
}
