package io.tomobasis.spark

import org.apache.spark.sql.{DataFrame, SparkSession}

import scala.reflect.runtime.universe.TypeTag

/** A session as a user has it: with Spark's own settings, apart from those given. */
object TestSession {
  def withSession[T](settings: (String, String)*)(body: SparkSession => T): T = {
    val builder =
      SparkSession.builder().appName("a user's").master("local[2]").config("spark.sql.shuffle.partitions", "3")
    val session = settings.foldLeft(builder)((b, setting) => b.config(setting._1, setting._2)).getOrCreate()
    try body(session)
    finally session.stop()
  }

  /** A DataFrame of tuples, by what every Spark has: the types behind `spark.implicits` are not the same in 3.5 and 4. */
  def frameOf[T <: Product: TypeTag](session: SparkSession, rows: Seq[T], names: String*): DataFrame =
    session.createDataFrame(rows).toDF(names: _*)
}
