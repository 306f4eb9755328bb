package io.tomobasis.spark.ml

import org.apache.spark.ml.Estimator
import org.apache.spark.ml.linalg.DenseVector
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{DefaultParamsReadable, DefaultParamsWritable, Identifiable}
import org.apache.spark.sql.Dataset
import org.apache.spark.sql.types.StructType

import scala.jdk.CollectionConverters._
import scala.util.Using

import io.tomobasis.matrix.MatrixRows
import io.tomobasis.spark.TomoBasis

/** What [[TomoSVD]] and [[TomoPCA]] have in common. */
sealed abstract class TomoEstimator extends Estimator[TomoModel] with TomoParams with DefaultParamsWritable {

  /** Whether columns are decomposed without their means. */
  protected def removesMeans: Boolean

  def setK(value: Int): this.type = set(k, value)

  def setCenter(value: Boolean): this.type = set(center, value)

  def setInputCol(value: String): this.type = set(inputCol, value)

  def setOutputCol(value: String): this.type = set(outputCol, value)

  /**
   * The leading components of the rows in the input column. They are evaluated twice, and once more where means are removed: cache what is
   * expensive. Throws UsageException or InputException.
   */
  override def fit(dataset: Dataset[_]): TomoModel = {
    transformSchema(dataset.schema)
    val rows = dataset.select(inputOf(dataset).as($(inputCol)))
    val means = if (removesMeans) ColumnMeans.of(rows) else None
    val options = Map("rank" -> $(k).toString) ++ means.map(_ => "center" -> "slices")
    val model = Using.resource(TomoBasis.decompose(rows, options.asJava)) { result =>
      // What is wrong with rows that have no means is for the decomposition to say; these were right the second time.
      if (removesMeans && means.isEmpty) throw MatrixRows.changed()
      val s = result.singularValues
      val shares = s.map(sigma => if (result.energy > 0) sigma * sigma / result.energy else 0.0)
      val components = result.weightMatrix.asML.toDenseColMajor
      val mean = means.getOrElse(new Array[Double](result.columns))
      new TomoModel(uid, components, new DenseVector(s), new DenseVector(shares), new DenseVector(mean))
    }
    copyValues(model).setParent(this)
  }

  override def transformSchema(schema: StructType): StructType = withOutput(schema, outputField(None))
}

/**
 * The leading singular triplets of the matrix whose rows are the vectors of a column: certified, and the same bits whatever the
 * partitions and the order of the rows.
 *
 * With `center` the columns' means are removed first, in `fit` and in `transform`.
 */
final class TomoSVD(override val uid: String) extends TomoEstimator {
  def this() = this(Identifiable.randomUID("tomoSVD"))

  override protected def removesMeans: Boolean = $(center)

  override def copy(extra: ParamMap): TomoSVD = defaultCopy(extra)
}

object TomoSVD extends DefaultParamsReadable[TomoSVD]

/**
 * The leading principal components of the vectors of a column: certified, and the same bits whatever the partitions and the order of
 * the rows.
 *
 * The columns' means are always removed in `fit`. As with Spark's `PCA`, `transform` does not remove them, unless `center` is set: then
 * scores have mean zero.
 */
final class TomoPCA(override val uid: String) extends TomoEstimator {
  def this() = this(Identifiable.randomUID("tomoPCA"))

  override protected def removesMeans: Boolean = true

  override def copy(extra: ParamMap): TomoPCA = defaultCopy(extra)
}

object TomoPCA extends DefaultParamsReadable[TomoPCA]
