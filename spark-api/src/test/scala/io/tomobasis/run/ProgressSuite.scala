package io.tomobasis.run

import org.scalatest.funsuite.AnyFunSuite

import TestFolder.captured

class ProgressSuite extends AnyFunSuite {
  test("a stage counts the items of each partition once") {
    val stage = new Stage(2, "decode", "slices", Vector(3, 4))
    stage.begin()
    assert(stage.line(5).startsWith("[2/5] decode    0/7 slices"))
    stage.taskDone(1)
    stage.taskDone(1)
    assert(stage.line(5).matches("\\[2/5] decode    4/7 slices  \\d+ s left"))
    stage.taskDone(0)
    stage.end()
    assert(stage.line(5).matches("\\[2/5] decode    7/7 slices  \\d+\\.\\d s"))
  }

  test("a stage of several passes counts each partition once in each, and ends with the last") {
    val stage = new Stage(3, "tsqr", "row blocks", Vector(3, 4), passes = 2)
    assert(stage.begin() && !stage.begin(), "the next pass is no new beginning")
    val (first, second) = (stage.nextPass(), stage.nextPass())
    Seq(0, 1, 1).foreach(stage.taskDone(_, first))
    assert(stage.line(5).startsWith("[3/5] tsqr      7/14 row blocks"))
    assert(!stage.passDone())
    stage.taskDone(1, second)
    assert(stage.line(5).startsWith("[3/5] tsqr      11/14 row blocks"))
    assert(stage.passDone())
  }

  test("a stage of the driver ends with its line and hands on its result") {
    val stage = new Stage(1, "scan", "files", Vector(2))
    val (result, _, err) = captured { (_, err) =>
      new Progress(err.println(_), 5).driver(stage) { done =>
        done(2)
        "plan"
      }
    }
    assert(result == "plan")
    assert(err.linesIterator.toSeq.last.matches("\\[1/5] scan      2/2 files  \\d+\\.\\d s"))
    assert(stage.seconds > 0)
  }
}
