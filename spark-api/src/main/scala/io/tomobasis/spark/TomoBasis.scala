package io.tomobasis.spark

import org.apache.spark.mllib.linalg.Vector
import org.apache.spark.mllib.linalg.distributed.IndexedRowMatrix
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.{DataFrame, SparkSession}

import java.util.{Collections, Map => JavaMap}

import io.tomobasis.jni.{InputException, NativeLibrary}
import io.tomobasis.matrix.{IndexedRows, MatrixRows}
import io.tomobasis.run._

/**
 * The singular value decomposition of a scan or a matrix, and CT scans with less noise, on a Spark session that is there: the job's own,
 * with its bits.
 *
 * The options are those of the command by their names without dashes, with values as text: `rank` -> `50`, `method` -> `tsqr`, `center` ->
 * `true`. With `output` a result folder is written, as the job writes it. Any number of calls may run in a session, one after another or
 * at once; nothing of the session is changed. What is wrong with options or input is a [[io.tomobasis.jni.TomoBasisException]] whose
 * text is for the user.
 *
 * {{{
 * val result = TomoBasis.decompose(spark, "/data/scan", java.util.Map.of("rank", "50"))
 * result.s.show()
 * result.U.write.parquet("/data/basis")
 * result.close()
 *
 * val denoised = TomoBasis.denoise(spark, "/data/scan", java.util.Map.of("strength", "0.5"))
 * denoised.slices.write.parquet("/data/denoised")
 * denoised.close()
 * }}}
 */
object TomoBasis {
  private val Column = "column"
  private val Index = "index"
  private val OfInput = "--input: "

  /**
   * Decomposes the files under a path.
   *
   * @param path    a folder, an archive or one file of DICOM; with the option `input-format`, of a matrix
   * @param options those of the command
   */
  def decompose(spark: SparkSession, path: String, options: JavaMap[String, String]): TomoBasisResult = {
    NativeLibrary.load()
    val asked = RunOptions.ofFiles(Seq(path), RunOptions.texts(options))
    decomposed(spark, asked)((decompose, progress) =>
      decompose.solve(Headers.read(asked.config, spark.sparkContext.hadoopConfiguration, progress))
    )
  }

  /** The same with the default options. */
  def decompose(spark: SparkSession, path: String): TomoBasisResult = decompose(spark, path, none)

  /**
   * Decomposes the matrix whose rows are those of a DataFrame, which has one column of vectors or of arrays of numbers, and perhaps a
   * column `index` of integers, from 0. It is evaluated twice unless it is cached.
   *
   * @param options those of the command for a matrix; and `column` and `index`, which name the columns where the DataFrame has others
   */
  def decompose(frame: DataFrame, options: JavaMap[String, String]): TomoBasisResult = {
    val (ours, theirs) = RunOptions.texts(options).partition { case (name, _) => name == Column || name == Index }
    ofRows(frame.sparkSession, theirs)(FrameRows.of(frame, ours.get(Column), ours.get(Index)))
  }

  /** The same with the default options. */
  def decompose(frame: DataFrame): TomoBasisResult = decompose(frame, none)

  /** Decomposes a matrix of MLlib's: each row from 0 to the last must be there once. */
  def decompose(spark: SparkSession, matrix: IndexedRowMatrix, options: JavaMap[String, String]): TomoBasisResult =
    ofRows(spark, RunOptions.texts(options)) {
      MatrixRows.indexed(matrix.rows.map(row => row.index -> numbers(row.vector)), Some(matrix.numRows()))
    }

  /** The same with the default options. */
  def decompose(spark: SparkSession, matrix: IndexedRowMatrix): TomoBasisResult = decompose(spark, matrix, none)

  /** Decomposes the matrix whose rows are the elements of an RDD, in its order. */
  def decompose(spark: SparkSession, rows: RDD[Vector], options: JavaMap[String, String]): TomoBasisResult =
    ofRows(spark, RunOptions.texts(options))(MatrixRows.numbered(rows.map(numbers)))

  /** The same with the default options. */
  def decompose(spark: SparkSession, rows: RDD[Vector]): TomoBasisResult = decompose(spark, rows, none)

  /**
   * Denoises the CT series under a path (`docs/denoise.md`). With the option `output` the folder of the command `denoise` is written too.
   *
   * @param path    a folder, an archive or one file of DICOM
   * @param options those of the command `denoise`
   */
  def denoise(spark: SparkSession, path: String, options: JavaMap[String, String]): DenoisedResult = {
    NativeLibrary.load()
    val asked = RunOptions.ofDenoising(Seq(path), RunOptions.texts(options))
    run(spark, asked) { (run, progress, folder) =>
      val headers = Headers.read(asked.config, spark.sparkContext.hadoopConfiguration, progress)
      val series = new Denoise(run, asked.config).begin(headers)
      val denoised = series.denoise()
      denoised.remarks.foreach(progress.say)
      val written = folder.map(denoised.write(_, None))
      val figures = written.fold(denoised.figures)(_.figures)
      () => {
        RunFigures.tell(figures)
        new DenoisedResult(spark, series, denoised, written.map(_.root), written.map(_ => asked.config.output))
      }
    }
  }

  /** The same with the default options. */
  def denoise(spark: SparkSession, path: String): DenoisedResult = denoise(spark, path, none)

  private def numbers(row: Vector): Array[Double] =
    if (row == null) throw new InputException("a row has a null where its vector should be; drop such rows first")
    else row.toArray

  private def none = Collections.emptyMap[String, String]

  private def ofRows(spark: SparkSession, options: Map[String, String])(rows: => IndexedRows): TomoBasisResult = {
    NativeLibrary.load()
    try decomposed(spark, RunOptions.ofMatrix(options))((decompose, _) => decompose.solve(rows))
    catch {
      case e: InputException if e.getMessage.startsWith(OfInput) =>
        throw new InputException(e.getMessage.stripPrefix(OfInput)) // there is no such option here
    }
  }

  private def decomposed(spark: SparkSession, asked: RunOptions)(
      solve: (Decompose, Progress) => Solved
  ): TomoBasisResult = run(spark, asked) { (run, progress, folder) =>
    val decompose = new Decompose(run, asked.config)
    val solved = solve(decompose, progress)
    val written = folder.map(decompose.write(solved, _))
    val figures = written.fold(RunFigures.of(run, asked.config, solved, solved.stages, None))(_.figures)
    () => {
      RunFigures.tell(figures)
      new TomoBasisResult(spark, solved, written.map(_.root), written.map(_ => asked.config.output))
    }
  }

  /** Runs `body` in a session that is left as it was. What it returns makes the result, once the folder is committed. */
  private def run[T](spark: SparkSession, asked: RunOptions)(
      body: (SparkRun, Progress, Option[ResultFolder]) => () => T
  ): T = {
    val (sc, config) = (spark.sparkContext, asked.config)
    Requirements.check(sc)
    val folder = Option.when(asked.writes)(
      ResultFolder.check(config.output, config.overwrite, "", sc.hadoopConfiguration, config.kind)
    )
    val progress = new Progress(Lines.say(_), config.stageCount)
    val run = SparkRun.open(sc, progress)
    try {
      folder.foreach(_.prepare())
      val made = body(run, progress, folder)
      folder.foreach(_.commit())
      made()
    } catch {
      case e: Throwable =>
        run.release()
        folder.foreach(_.abort())
        val cause = run.errors.cause(e)
        throw TaskErrors.ours(cause).getOrElse(cause)
    } finally run.close()
  }
}
