import io.tomobasis.spark.ml.TomoPCA
import org.apache.spark.ml.linalg.Vectors
import org.apache.spark.sql.SparkSession

/** A Scala program that fits an estimator and reads slices. */
object Use {
  def main(arguments: Array[String]): Unit = {
    val spark = SparkSession.builder().master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    import spark.implicits._
    val rows = Seq((1, 2), (3, 6), (5, 10)).map { case (x, y) => Tuple1(Vectors.dense(x, y)) }.toDF("v")
    val model = new TomoPCA().setK(1).setInputCol("v").setOutputCol("scores").fit(rows)
    println(s"explained ${model.explainedVariance(0)}")
    println(s"slices ${spark.read.format("dicom").load(arguments(0)).count()}")
    spark.stop()
  }
}
