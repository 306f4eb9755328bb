package io.tomobasis.spark.ml

import org.apache.hadoop.fs.Path
import org.apache.spark.ml.Model
import org.apache.spark.ml.linalg.{DenseMatrix, DenseVector, Vector}
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{DefaultParamsReadable, DefaultParamsWritable, MLReadable, MLReader, MLWriter}
import org.apache.spark.sql.{DataFrame, Dataset}
import org.apache.spark.sql.functions.{col, udf}
import org.apache.spark.sql.types.StructType

import io.tomobasis.jni.InputException

/**
 * Components of a matrix of n columns: of the matrix itself ([[TomoSVD]]) or of its deviations from the columns' means.
 *
 * @param components        n x k: the right singular vectors, or principal components. In each the entry of largest magnitude (the first
 *                          of equal ones) is positive
 * @param singularValues    k, descending
 * @param explainedVariance k: the share of each in the sum of all squares, or in the variance
 * @param mean              n: the columns' means that were removed in `fit`; zeros where none were
 */
final class TomoModel private[ml] (
    override val uid: String,
    val components: DenseMatrix,
    val singularValues: DenseVector,
    val explainedVariance: DenseVector,
    val mean: DenseVector
) extends Model[TomoModel]
    with TomoParams
    with DefaultParamsWritable {

  /** One without data, as parameters are read into. */
  private[ml] def this(uid: String) =
    this(uid, DenseMatrix.zeros(0, 0), TomoModel.none, TomoModel.none, TomoModel.none)

  def setInputCol(value: String): this.type = set(inputCol, value)

  def setOutputCol(value: String): this.type = set(outputCol, value)

  /** Whether means are removed from rows before they are projected. */
  def setCenter(value: Boolean): this.type = set(center, value)

  /** Adds the output column: each row times the components, k numbers, in a fixed order of operations. */
  override def transform(dataset: Dataset[_]): DataFrame = {
    transformSchema(dataset.schema)
    val projection = new Projection(components, if ($(center)) mean else new DenseVector(new Array(mean.size)))
    val project = udf((row: Vector) => projection(row))
    val field = outputField(Some(components.numCols))
    dataset.withColumn(field.name, project(inputOf(dataset)).as(field.name, field.metadata))
  }

  override def transformSchema(schema: StructType): StructType =
    withOutput(schema, outputField(Some(components.numCols)))

  override def copy(extra: ParamMap): TomoModel =
    withData(TomoModel.Data(components, singularValues, explainedVariance, mean), extra).setParent(parent)

  /** One with these parameters. */
  private def withData(data: TomoModel.Data, extra: ParamMap): TomoModel = {
    val model = new TomoModel(uid, data.components, data.singularValues, data.explainedVariance, data.mean)
    copyValues(model, extra)
  }

  override def write: MLWriter = {
    val parameters = super.write
    new MLWriter {
      override protected def saveImpl(path: String): Unit = {
        parameters.session(sparkSession).save(path)
        val data = TomoModel.Data(components, singularValues, explainedVariance, mean)
        sparkSession.createDataFrame(Seq(data)).coalesce(1).write.parquet(TomoModel.dataIn(path))
      }
    }
  }

  override def toString: String = s"TomoModel: uid=$uid, columns=${components.numRows}, k=${components.numCols}"
}

object TomoModel extends MLReadable[TomoModel] {
  private case class Data(
      components: DenseMatrix,
      singularValues: DenseVector,
      explainedVariance: DenseVector,
      mean: DenseVector
  )

  private val parameters = new DefaultParamsReadable[TomoModel] {}

  private def none = new DenseVector(Array.emptyDoubleArray)

  private def dataIn(path: String): String = new Path(path, "data").toString

  override def read: MLReader[TomoModel] = new MLReader[TomoModel] {
    override def load(path: String): TomoModel = {
      val empty = parameters.read.session(sparkSession).load(path)
      val data = sparkSession.read.parquet(dataIn(path))
      val columns = Seq("components", "singularValues", "explainedVariance", "mean")
      val row = data.select(columns.map(col): _*).head()
      def vector(i: Int) = row.getAs[DenseVector](i)
      empty.withData(Data(row.getAs[DenseMatrix](0), vector(1), vector(2), vector(3)), ParamMap.empty)
    }
  }

  override def load(path: String): TomoModel = super.load(path)
}

/** Rows, less the means, times the components: one chain of multiplications and additions for each number, over the columns in order. */
private final class Projection(components: DenseMatrix, mean: DenseVector) extends Serializable {
  private val (n, k) = (components.numRows, components.numCols)
  private val weights = components.toDenseRowMajor.values // so that the inner loop is no reduction

  def apply(row: Vector): Vector = {
    if (row == null) throw new InputException("a row has a null where its vector should be; drop such rows first")
    if (row.size != n)
      throw new InputException(s"a row has ${row.size} numbers, and the model was fitted to rows of $n")
    val (values, scores) = (row.toArray, new Array[Double](k))
    var i = 0
    while (i < n) {
      val x = values(i) - mean.values(i)
      if (x != 0) {
        var j = 0
        while (j < k) {
          scores(j) += x * weights(i * k + j)
          j += 1
        }
      }
      i += 1
    }
    new DenseVector(scores)
  }
}
