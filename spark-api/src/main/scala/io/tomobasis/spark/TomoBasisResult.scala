package io.tomobasis.spark

import org.apache.spark.mllib.linalg.{DenseMatrix, Matrix, SingularValueDecomposition, Vectors}
import org.apache.spark.mllib.linalg.distributed.{IndexedRow, IndexedRowMatrix}
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.{DataFrame, Row, SparkSession}
import org.apache.spark.sql.types._

import scala.collection.immutable.ArraySeq
import scala.jdk.CollectionConverters._

import io.tomobasis.jni.UsageException
import io.tomobasis.matrix.{BlockNumbers, NumberedRows, SharedNatives}
import io.tomobasis.run.{Description, Solved}

/**
 * A decomposition `A = U diag(s) V^T`, of rank k, of a matrix of m x n: pixels x slices of a scan, in HU; rows x columns of another.
 *
 * `s` and `V` are on the driver. `U` and composites are computed when they are asked for, block by block, from the row blocks, which
 * stay in the executors until [[close]]; computed again they have the same bits. DataFrames have the columns of the files of a result
 * folder (`docs/format.md`).
 */
final class TomoBasisResult private[spark] (
    spark: SparkSession,
    solved: Solved,
    knownRoot: Option[String],
    writtenTo: Option[String]
) extends AutoCloseable {
  private val decomposition = solved.decomposition
  private val sigma = decomposition.singularValues
  private val weights = decomposition.weights
  private val cumulative = decomposition.cumulativeEnergy
  @volatile private var closed = false
  private val natives = new SharedNatives(spark.sparkContext)
  private lazy val known = BlockNumbers(natives, decomposition.toBytes, solved.plan.layout, rank)
  private def numbers = whileOpen(known)

  private def whileOpen[T](body: => T): T =
    if (closed) throw new UsageException("the result is closed, and its row blocks are gone; close it when all is done")
    else body

  /** m: pixels of a slice, or rows. */
  val rows: Long = solved.plan.layout.pixels.toLong

  /** n: slices, or columns. */
  val columns: Int = solved.plan.layout.slices

  /** k: singular values, columns of `U` and of `V`. */
  val rank: Int = sigma.length

  /** The sum of all squares of the matrix, without the means that the method removes. */
  val energy: Double = decomposition.energy

  /** The input in one line. */
  def description: String = solved.plan.description

  /** What is unusual about the input, in sentences. */
  val notes: Array[String] = (solved.plan.notes ++ decomposition.notes).toArray

  /** The result folder, where one was asked for. */
  def output: Option[String] = writtenTo

  /** The singular values, descending: k numbers. */
  def singularValues: Array[Double] = sigma.clone

  /** The singular values: `index` from 1, `sigma`, `energy` and `cumulative_energy` as shares of the whole. */
  def s: DataFrame = {
    val schema = StructType(
      StructField("index", IntegerType, nullable = false) +:
        Seq("sigma", "energy", "cumulative_energy").map(StructField(_, DoubleType, nullable = false))
    )
    val all = sigma.indices.map(i => Row(i + 1, sigma(i), sigma(i) * sigma(i) / energy, cumulative(i)))
    spark.createDataFrame(all.asJava, schema)
  }

  /** The weights: for each slice or column, numbered from 0 in `slice`, its row of `V`, k numbers, in `weights`. */
  def V: DataFrame = {
    val schema = StructType(Seq(StructField("slice", IntegerType, nullable = false), TomoBasisResult.list("weights")))
    val all = (0 until columns).map(j => Row(j, ArraySeq.unsafeWrapArray(weights.slice(j * rank, (j + 1) * rank))))
    spark.createDataFrame(all.asJava, schema)
  }

  /** The basis vectors: for each pixel or row its row of `U`, k numbers, in `values`, with its `row` and row `block` from 0. */
  def U: DataFrame = frame(numbers.basis(solved.blocks))

  /**
   * The composite of rank `k`: `U_k diag(s_k) V_k^T`, and the means where the method removed them. For each pixel or row n numbers, in
   * `values`.
   *
   * @param k from 1 to the rank
   */
  def composite(k: Int): DataFrame =
    if (k < 1 || k > rank) throw new UsageException(s"composite: rank $k is outside 1 to $rank")
    else frame(numbers.composite(solved.blocks, k))

  /** The same as MLlib has it, with `U` by its indexed rows. */
  def svd: SingularValueDecomposition[IndexedRowMatrix, Matrix] = {
    val u = numbers.basis(solved.blocks).flatMap(_.rows.map { case (i, row) => IndexedRow(i, Vectors.dense(row)) })
    SingularValueDecomposition(new IndexedRowMatrix(u, rows, rank), Vectors.dense(sigma.clone), weightMatrix)
  }

  /** `V`, n x k. */
  private[spark] def weightMatrix: DenseMatrix = new DenseMatrix(columns, rank, weights, true)

  private lazy val records =
    Description.of(spark.sparkContext, "digests of the basis vectors")(numbers.records(solved.blocks))

  /** The root digest of the result, 64 hexadecimal digits: that of the job and of the command. Computes `U` unless it was written. */
  lazy val root: String = knownRoot.getOrElse(whileOpen(decomposition.root(records)))

  /**
   * The sections `series`, `parameters`, `result` and `digests` of `manifest.json` (`docs/format.md`), as JSON: what was proven, what
   * was left out, all digests. Computes `U`.
   */
  lazy val summary: String = whileOpen(decomposition.summary(records))

  /**
   * Lets go of the row blocks; what needs them is refused afterward. `s` and `V` stay. A DataFrame of `U` or a composite that was asked
   * for before has the same rows still, for which the input is read once more.
   */
  override def close(): Unit = {
    closed = true
    natives.close()
    solved.close()
  }

  private def frame(blocks: RDD[NumberedRows]): DataFrame = {
    val schema = StructType(
      Seq(
        StructField("block", IntegerType, nullable = false),
        StructField("row", LongType, nullable = false),
        TomoBasisResult.list("values")
      )
    )
    val all =
      blocks.flatMap(part => part.rows.map { case (i, row) => Row(part.block, i, ArraySeq.unsafeWrapArray(row)) })
    spark.createDataFrame(all, schema)
  }
}

private object TomoBasisResult {
  def list(name: String): StructField =
    StructField(name, ArrayType(DoubleType, containsNull = false), nullable = false)
}
