package io.tomobasis.spark

import org.apache.spark.ml.linalg.{Vector => MlVector}
import org.apache.spark.mllib.linalg.{Vector => MllibVector}
import org.apache.spark.sql.{DataFrame, Row, SparkSession}
import org.apache.spark.sql.types._

import io.tomobasis.jni.{InputException, UsageException}
import io.tomobasis.matrix.{IndexedRows, MatrixRows}

/** The rows of a DataFrame as those of a matrix. */
private[spark] object FrameRows {
  private val Index = "index"

  /** float64 has all integers up to here. */
  private val Exact = 1L << 53

  /**
   * The frame has one column of vectors or of arrays of numbers, and perhaps one of integers named `index`, as Parquet files of a
   * matrix have: the numbers of the rows. Without it the rows are numbered in the order in which the frame gives them.
   *
   * @param column the column of vectors, where there are several
   * @param index  the column of indices, if it has another name
   */
  def of(frame: DataFrame, column: Option[String], index: Option[String]): IndexedRows = {
    val schema = frame.schema
    val vectors = column.fold(onlyVectors(schema))(named(schema, "column", _, isVector, "vectors or arrays of numbers"))
    val indices = index.orElse(schema.fieldNames.find(name => name != vectors && isIndex(name, frame.sparkSession)))
    val integers = indices.map(named(schema, "index", _, isInteger, "integers"))
    val chosen = frame.select((integers.toSeq :+ vectors).map(name => frame.col(quoted(name))): _*).rdd
    integers match {
      case None => MatrixRows.numbered(chosen.map(row => numbers(row, 0, vectors)))
      case Some(name) => MatrixRows.indexed(chosen.map(row => indexOf(row, name) -> numbers(row, 1, vectors)))
    }
  }

  /** Whether Spark would take a column's name for this one. */
  private def isIndex(name: String, spark: SparkSession): Boolean =
    if (spark.conf.get("spark.sql.caseSensitive").toBoolean) name == Index else name.equalsIgnoreCase(Index)

  private def quoted(name: String): String = s"`${name.replace("`", "``")}`"

  private def onlyVectors(schema: StructType): String = schema.filter(field => isVector(field.dataType)) match {
    case Seq(one) => one.name
    case Seq() => throw new InputException("the DataFrame has no column of vectors or of arrays of numbers; give one")
    case several =>
      throw new UsageException(
        s"column: the DataFrame has ${several.length} columns of vectors or arrays (${several.map(_.name).mkString(", ")}); name one"
      )
  }

  private def named(schema: StructType, option: String, name: String, fits: DataType => Boolean, what: String): String =
    schema.fields.find(_.name == name) match {
      case Some(field) if fits(field.dataType) => name
      case Some(field) =>
        throw new UsageException(s"$option: column $name is of type ${field.dataType.simpleString}; give one of $what")
      case None =>
        throw new UsageException(s"$option: there is no column $name; there are ${schema.fieldNames.mkString(", ")}")
    }

  private def isInteger(of: DataType): Boolean = of match {
    case ByteType | ShortType | IntegerType | LongType => true
    case _ => false
  }

  private def isVector(of: DataType): Boolean = of match {
    case ArrayType(FloatType | DoubleType, _) => true
    case ArrayType(element, _) => isInteger(element)
    case _ => of.typeName == "vector" // those of ml and of mllib
  }

  private def indexOf(row: Row, name: String): Long = row.get(0) match {
    case number: java.lang.Number => number.longValue
    case _ => throw new InputException(s"column $name has a null; give each row its index")
  }

  private def numbers(row: Row, at: Int, name: String): Array[Double] = row.get(at) match {
    case vector: MlVector => vector.toArray
    case vector: MllibVector => vector.toArray
    case values: scala.collection.Seq[_] => values.iterator.map(number(_, name)).toArray
    case _ => throw new InputException(s"column $name has a null; give numbers")
  }

  private def number(value: Any, name: String): Double = value match {
    case long: java.lang.Long =>
      if (long < -Exact || long > Exact)
        throw new InputException(
          s"column $name has an integer that float64 cannot represent; integers up to 2^53 are supported"
        )
      long.doubleValue
    case number: java.lang.Number => number.doubleValue
    case _ => throw new InputException(s"column $name has an array with a null; give numbers")
  }
}
