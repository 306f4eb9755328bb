package io.tomobasis.matrix

import org.scalatest.funsuite.AnyFunSuite

import java.nio.file.Files

import io.tomobasis.io.Listing
import io.tomobasis.run.FaultyFileSystem
import io.tomobasis.run.TestFolder.withFolder

class MatrixFilesSuite extends AnyFunSuite {
  test("of a matrix in hundreds of files no more than 256 are open at once, and none afterward") {
    withFolder { base =>
      for (i <- 0 until 300) Files.writeString(base.resolve(f"part-$i%03d"), s"$i 2\n")
      val conf = FaultyFileSystem.hadoop()
      val files = MatrixFiles(Listing.list(Seq(s"faulty://fine$base"), conf, archives = false), verbose = false)
      FaultyFileSystem.open()
      val read = files.reading(conf) { reader =>
        // Forwards, then the first ones again, which were closed meanwhile.
        for (file <- (0 until 300) ++ (0 until 10)) yield {
          val first = new Array[Byte](1)
          reader.read(file, 0, first, 1)
          first(0).toChar.asDigit
        }
      }
      assert(read == ((0 until 300) ++ (0 until 10)).map(_.toString.head.asDigit))
      assert(FaultyFileSystem.open() == ((0, 256)))
    }
  }
}
