package io.tomobasis.commit

import java.util.concurrent.atomic.AtomicInteger
import java.util.stream.IntStream

import scala.jdk.OptionConverters._

import org.scalatest.funsuite.AnyFunSuite

/**
 * Thousands of schedules of runs that race, pause, are killed and come back, on stores of each kind. A failure names its seed;
 * `-Dtomobasis.commit.seed=N` plays that one alone.
 */
class CommitSuite extends AnyFunSuite {
  import CommitSimulator._

  private val disk = StoreKind("disk", renamesFolders = true, writesWhole = false)
  private val s3 = StoreKind("S3", renamesFolders = false, writesWhole = true)
  private val s3Unanswered = s3.copy(name = "S3 that loses answers", losesAnswers = true)
  private val withoutReplace = s3.copy(name = "store without conditional replacement", replacesSame = false)
  private val kinds = Seq(disk, s3, s3Unanswered, withoutReplace)

  private def seeds: Range = sys.props.get("tomobasis.commit.seed").map(_.toInt).fold(1 to 400)(s => s to s)

  private def run(name: String, overwrite: Boolean = false, retries: Int = 0, patient: Boolean = false) =
    SimulatedRun(name, overwrite, retries, patient)

  /** Plays all seeds, on all cores; the first failure says which. */
  private def play(kind: StoreKind, runs: Seq[SimulatedRun], old: Boolean = false, kills: Boolean = false)(
      atEnd: (CommitSimulator, Option[String]) => Unit
  ): Unit = {
    def failure(seed: Int): Option[AssertionError] = {
      val simulator = new CommitSimulator(seed, kind, runs, old, kills)
      try {
        atEnd(simulator, simulator.play())
        None
      } catch {
        case e: Throwable =>
          Some(new AssertionError(s"seed $seed on ${kind.name}: ${e.getMessage}; ${simulator.outcomes}", e))
      }
    }
    val played = IntStream.rangeClosed(seeds.head, seeds.last).parallel().mapToObj[Option[AssertionError]](failure(_))
    played.filter(_.nonEmpty).findFirst().toScala.flatten.foreach(throw _)
  }

  for (kind <- kinds) {
    test(s"on a ${kind.name}, of runs that race for a new folder one wins whole and the others say why they did not") {
      play(kind, Seq(run("a"), run("b"), run("c"))) { (simulator, standing) =>
        val (done, refused) = simulator.outcomes.partition(_._2 == Done)
        assert(done.keys.map(idOf).toSeq == standing.toSeq)
        assert(refused.values.forall(_.startsWith("--output: ")))
      }
    }

    test(
      s"on a ${kind.name}, runs that may overwrite leave the old result or one of theirs, and a run that may not, none"
    ) {
      play(kind, Seq(run("a", overwrite = true), run("b", overwrite = true), run("c")), old = true) {
        (simulator, standing) =>
          assert(standing.nonEmpty && simulator.outcomes("c#0") != Done)
          assert(simulator.outcomes.values.forall(said => said == Done || said.startsWith("--output: ")))
          assert(simulator.outcomes.values.exists(_ == Done), "all of them failed")
      }
    }

    test(s"on a ${kind.name}, drivers that are killed, taken for dead or come back never mix or lose results") {
      play(kind, Seq(run("a", retries = 2), run("b", overwrite = true, retries = 1), run("c")), kills = true) {
        (_, _) =>
      }
      play(kind, Seq(run("a", overwrite = true, retries = 2), run("b", retries = 1)), old = true, kills = true) {
        (simulator, standing) => assert(standing.nonEmpty || simulator.afterNextLook().exists(_ != idOf("look#0")))
      }
    }

    test(s"on a ${kind.name}, the retry of a killed driver finishes its run") {
      val retried = new AtomicInteger
      play(kind, Seq(run("a", retries = 4, patient = true)), kills = true) { (simulator, standing) =>
        if (simulator.outcomes.contains("a#4") || simulator.outcomes.values.exists(_ == Done)) assert(standing.nonEmpty)
        if (simulator.outcomes.get("a#0").isEmpty && standing.nonEmpty) retried.incrementAndGet()
        ()
      }
      assert(seeds.size == 1 || retried.get > 10, "hardly any driver was killed")
    }

    test(s"on a ${kind.name}, a run alone leaves its result and nothing else") {
      for (old <- Seq(false, true)) play(kind, Seq(run("a", overwrite = true)), old) { (simulator, standing) =>
        assert(standing.contains(idOf("a#0")))
        val names = simulator.store.files.keySet.map(_.stripPrefix("out/").stripPrefix(s"run-${idOf("a#0")}/"))
        assert(names == Set(Commit.Manifest, Commit.Success) ++ Parts)
      }
    }
  }

  test("the simulator finds what goes wrong on a store that does not create a file atomically") {
    val failure = intercept[AssertionError](
      play(s3.copy(createsOnce = false), Seq(run("a"), run("b"), run("c")))((_, _) => ())
    )
    assert(failure.getMessage.startsWith("seed "), failure.getMessage)
  }

  test("the same seed plays the same schedule") {
    def played(seed: Long) = {
      val simulator = new CommitSimulator(seed, s3, Seq(run("a", retries = 1), run("b", overwrite = true)), false, true)
      simulator.play() -> simulator.outcomes.toSeq
    }
    for (seed <- 1 to 20) assert(played(seed) == played(seed))
  }
}
