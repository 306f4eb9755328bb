package io.tomobasis.run

import com.fasterxml.jackson.databind.node.ObjectNode
import org.slf4j.LoggerFactory

import io.tomobasis.figures.{Counted, Figures}
import io.tomobasis.jni.NativeLibrary

/**
 * All figures of a run that has ended well in one line of JSON, for whoever collects logs: the logger `io.tomobasis.figures`, level INFO.
 * Names nothing of a patient, and no path. `docs/spark.md` describes each key.
 */
private[tomobasis] object RunFigures {
  private val log = LoggerFactory.getLogger("io.tomobasis.figures")

  /** Of one decomposition, from its row blocks to its result. */
  def of(run: SparkRun, config: JobConfig, solved: Solved, stages: Seq[Stage], root: Option[String]): String = {
    val layout = solved.plan.layout
    val line = beginning(run, "decompose", stages)
    line.put("rows", layout.pixels).put("columns", layout.slices).put("rank", solved.rank)
    root.foreach(line.put("root", _))
    if (config.matrix) line.put("input", "matrix") else line.put("input", "scan")
    line.put("row_blocks", layout.blocks)
    val made = run.figures.value(Counted.RowBlocks)
    line.put("row_blocks_made_again", math.max(0L, made - layout.blocks))
    ended(run, line)
  }

  /** Of a denoised series. */
  def of(run: SparkRun, stages: Seq[Stage], root: Option[String]): String = {
    val line = beginning(run, "denoise", stages)
    root.foreach(line.put("root", _))
    ended(run, line)
  }

  /** Of an archive. */
  def of(run: SparkRun, rows: Int): String = {
    val line = beginning(run, "archive", Nil)
    line.put("series", rows)
    ended(run, line)
  }

  /** Hands a line to the logger, once all is done that it tells of. */
  def tell(line: String): Unit = log.info(line)

  private def beginning(run: SparkRun, kind: String, stages: Seq[Stage]): ObjectNode = {
    val (sc, line) = (run.context, Json.mapper.createObjectNode)
    line.put("tomobasis", NativeLibrary.buildInfo.version).put("run", kind).put("spark", sc.version)
    line.put("application", sc.applicationId).put("master", sc.master.takeWhile(_ != ':'))
    line.put("cores", sc.defaultParallelism).put("executors", math.max(1, Cores.executors(sc)))
    line.put("seconds", rounded(run.seconds))
    if (stages.nonEmpty) {
      val times = line.putObject("stages")
      stages.foreach(stage => times.put(stage.name, rounded(stage.seconds)))
    }
    line
  }

  private def ended(run: SparkRun, line: ObjectNode): String = {
    val figures = run.figures
    figures.noteMemory() // the driver's
    Counted.all.foreach(what => line.put(what.name, figures.value(what)))
    val rate = Figures.rate(figures.value(Counted.Products), figures.value(Counted.Nanoseconds))
    line.put("gmac_per_second_and_core", rounded(rate))
    line.put("native_memory_peak_bytes", figures.nativePeak)
    Json.mapper.writeValueAsString(line)
  }

  private def rounded(value: Double): Double = (value * 1e3).round / 1e3
}
