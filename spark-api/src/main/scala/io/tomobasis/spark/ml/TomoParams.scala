package io.tomobasis.spark.ml

import org.apache.spark.ml.attribute.AttributeGroup
import org.apache.spark.ml.linalg.SQLDataTypes
import org.apache.spark.ml.param.{BooleanParam, IntParam, ParamValidators, Params}
import org.apache.spark.ml.param.shared.{HasInputCol, HasOutputCol}
import org.apache.spark.sql.{Column, Dataset}
import org.apache.spark.sql.types.{StructField, StructType}

import io.tomobasis.jni.UsageException

/** Parameters of the estimators and of their models. */
trait TomoParams extends Params with HasInputCol with HasOutputCol {

  /** How many components; fewer are found where the rank of the matrix is less. */
  final val k: IntParam = new IntParam(this, "k", "number of components (> 0)", ParamValidators.gt(0))

  /** Whether each column's mean is removed from rows that are transformed; `TomoSVD` then fits without it too, `TomoPCA` always. */
  final val center: BooleanParam = new BooleanParam(this, "center", "whether the columns' means are removed from rows")

  setDefault(center -> false)

  def getK: Int = $(k)

  def getCenter: Boolean = $(center)

  /** The schema with the output column. Throws UsageException for columns that are not there, of another type or there already. */
  protected def withOutput(schema: StructType, field: StructField): StructType = {
    val (input, output) = ($(inputCol), $(outputCol))
    val wanted = SQLDataTypes.VectorType
    schema.fields.find(_.name == input) match {
      case Some(found) if found.dataType == wanted =>
      case Some(found) if found.dataType.typeName == wanted.typeName =>
        throw new UsageException(s"inputCol: column $input has vectors of mllib; give those of ml (their method asML)")
      case Some(found) =>
        throw new UsageException(
          s"inputCol: column $input is of type ${found.dataType.simpleString}; give one of vectors"
        )
      case None =>
        throw new UsageException(s"inputCol: there is no column $input; there are ${schema.fieldNames.mkString(", ")}")
    }
    if (schema.fieldNames.contains(output))
      throw new UsageException(s"outputCol: there is a column $output already; give another name")
    schema.add(field)
  }

  /** The input column, whatever its name. */
  protected def inputOf(dataset: Dataset[_]): Column = dataset.col(s"`${$(inputCol).replace("`", "``")}`")

  /** The output column: vectors, of `size` numbers where that is known. */
  protected def outputField(size: Option[Int]): StructField =
    size.fold(new AttributeGroup($(outputCol)))(new AttributeGroup($(outputCol), _)).toStructField()
}
