package io.tomobasis.job

import com.fasterxml.jackson.databind.ObjectMapper

import scala.jdk.CollectionConverters._

import io.tomobasis.jni.JobOptions

/** What the job itself needs of its options. Everything else stays in `json`, which only native code reads. */
final case class JobConfig(
    inputs: Seq[String],
    output: String,
    overwrite: Boolean,
    skipBadSlices: Boolean,
    verbose: Boolean,
    dicom: Boolean,
    method: String,
    stages: Seq[(String, String)],
    json: String
) {

  /** A stage of the run by its number, from 1; name and unit are native code's. */
  def stage(number: Int, weight: IndexedSeq[Int], passes: Int = 1): Stage = {
    val (name, unit) = stages(number - 1)
    new Stage(number, name, unit, weight, passes)
  }

  /** Whether the method is the exact one; the others have passes. */
  def exact: Boolean = method == "gram"
}

object JobConfig {

  /** Parses the command line: a text to print (help or version), or a configuration. Throws UsageException. */
  def parse(args: Array[String]): Either[String, JobConfig] = {
    val json = JobOptions.parse(args)
    val options = Json.read(json)
    Option(options.get("help")).map(_.asText).toLeft {
      JobConfig(
        inputs = options.get("input").elements.asScala.map(_.asText).toSeq,
        output = options.get("output").asText,
        overwrite = options.get("overwrite").asBoolean,
        skipBadSlices = options.get("on_bad_slice").asText == "skip",
        verbose = options.get("verbose").asBoolean,
        dicom = options.get("emit").elements.asScala.exists(_.asText == "dicom"),
        method = options.get("method").get("method").asText,
        stages = options.get("stages").elements.asScala.map(s => s.get("name").asText -> s.get("unit").asText).toSeq,
        json = json
      )
    }
  }
}

/** The one JSON mapper of the job. */
private[job] object Json {
  val mapper = new ObjectMapper
  def read(text: String): com.fasterxml.jackson.databind.JsonNode = mapper.readTree(text)
}
