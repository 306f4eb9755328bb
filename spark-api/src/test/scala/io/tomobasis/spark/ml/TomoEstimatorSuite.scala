package io.tomobasis.spark.ml

import org.apache.spark.ml.{Pipeline, PipelineModel}
import org.apache.spark.ml.attribute.AttributeGroup
import org.apache.spark.ml.evaluation.RegressionEvaluator
import org.apache.spark.ml.feature.PCA
import org.apache.spark.ml.linalg.{Vector, Vectors}
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.regression.LinearRegression
import org.apache.spark.ml.tuning.{CrossValidator, CrossValidatorModel, ParamGridBuilder}
import org.apache.spark.mllib.linalg.{Vectors => MllibVectors}
import org.apache.spark.mllib.linalg.distributed.RowMatrix
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.functions.{col, rand}
import org.scalatest.funsuite.AnyFunSuite

import java.math.BigDecimal

import scala.util.Random

import io.tomobasis.io.Causes
import io.tomobasis.jni.{InputException, UsageException}
import io.tomobasis.matrix.ExactSum
import io.tomobasis.run.TestFolder.withFolder
import io.tomobasis.spark.TestSession.{frameOf, withSession}

class TomoEstimatorSuite extends AnyFunSuite {

  /** Rows of 6 numbers with singular values that are well apart; of integers where `unit` is one. */
  private def matrix(m: Int, unit: Double, seed: Int = 5): Seq[Array[Double]] = {
    val random = new Random(seed)
    Seq.fill(m) {
      val common = random.nextGaussian()
      Array.tabulate(6)(j => math.rint((100 >> j) * (random.nextGaussian() + 2 * common) + 50 * j) * unit)
    }
  }

  private def frame(spark: SparkSession, rows: Seq[Array[Double]], parts: Int = 3): DataFrame =
    spark.createDataFrame(rows.map(row => Tuple1(Vectors.dense(row)))).toDF("v").repartition(parts)

  private def svd = new TomoSVD().setK(3).setInputCol("v").setOutputCol("scores")
  private def pca = new TomoPCA().setK(3).setInputCol("v").setOutputCol("scores")

  private def bits(model: TomoModel): Seq[Long] =
    Seq(model.components.values, model.singularValues.values, model.explainedVariance.values, model.mean.values).flatten
      .map(java.lang.Double.doubleToRawLongBits)

  private def close(one: Seq[Double], other: Seq[Double], tolerance: Double = 1e-9): Boolean =
    one.length == other.length &&
      one.zip(other).forall { case (a, b) => math.abs(a - b) <= tolerance * math.max(1, math.abs(b)) }

  private def vectors(frame: DataFrame, column: String): Seq[Vector] =
    frame.select(column).collect().map(_.getAs[Vector](0)).toSeq

  for ((kind, unit) <- Seq("integers" -> 1.0, "floats" -> 0.37)) {
    test(s"TomoPCA of $kind has the components, variances and scores of Spark's PCA, to its digits and up to signs") {
      withSession() { spark =>
        val rows = frame(spark, matrix(700, unit)).cache()
        val theirs = new PCA().setK(3).setInputCol("v").setOutputCol("theirs").fit(rows)
        val ours = pca.fit(rows)
        assert(close(ours.explainedVariance.values.toSeq, theirs.explainedVariance.values.toSeq))
        val scored = theirs.transform(ours.transform(rows)).cache()
        for (j <- 0 until 3) {
          val (our, their) = (ours.components.colIter.toSeq(j).toArray.toSeq, theirs.pc.colIter.toSeq(j).toArray.toSeq)
          val sign = math.signum(our.zip(their).map { case (a, b) => a * b }.sum)
          assert(close(our, their.map(_ * sign), 1e-8))
          assert(our.maxBy(x => math.abs(x)) > 0)
          val (scores, others) = (vectors(scored, "scores").map(_(j)), vectors(scored, "theirs").map(_(j) * sign))
          assert(close(scores, others, 1e-7))
        }
        // With the means removed, scores have mean zero and the variances of the components.
        val centered = vectors(ours.setCenter(true).transform(rows), "scores")
        for (j <- 0 until 3) {
          assert(math.abs(centered.map(_(j)).sum / 700) < 1e-9)
          val sigma = ours.singularValues(j)
          assert(math.abs(centered.map(scores => scores(j) * scores(j)).sum / (sigma * sigma) - 1) < 1e-12)
        }
      }
    }

    test(s"TomoSVD of $kind has the singular values of MLlib, and with center those of the centered matrix") {
      withSession() { spark =>
        val a = matrix(700, unit)
        def theirs(rows: Seq[Array[Double]]) =
          new RowMatrix(spark.sparkContext.parallelize(rows.map(row => MllibVectors.dense(row)), 3)).computeSVD(3).s
        val plain = svd.fit(frame(spark, a))
        assert(close(plain.singularValues.values.toSeq, theirs(a).toArray.toSeq) && plain.mean.toArray.forall(_ == 0))
        val means = a.transpose.map(column => column.sum / 700).toArray
        val centered = svd.setCenter(true).fit(frame(spark, a))
        assert(close(centered.mean.values.toSeq, means.toSeq, 1e-12))
        val deviations = a.map(row => row.zip(means).map { case (x, mean) => x - mean })
        assert(close(centered.singularValues.values.toSeq, theirs(deviations).toArray.toSeq))
        assert(bits(centered) == bits(pca.fit(frame(spark, a))))
      }
    }

    test(s"components of $kind have the same bits whatever the partitions and the order of the rows") {
      withSession() { spark =>
        val a = matrix(500, unit)
        for (estimator <- Seq(svd, pca)) {
          val found =
            for (parts <- Seq(1, 2, 7); seed <- 1 to 2)
              yield bits(estimator.fit(frame(spark, new Random(seed).shuffle(a), parts)))
          assert(found.distinct.size == 1)
        }
      }
    }
  }

  test("sums are exact, in whatever order and parts") {
    val random = new Random(1)
    for (_ <- 1 to 200) {
      val values = Seq.fill(random.nextInt(60))((random.nextDouble() - 0.5) * math.pow(2, random.nextInt(300) - 150))
      val all = values ++ random.shuffle(values.map(-_)).drop(2)
      val right = all.map(new BigDecimal(_)).foldLeft(BigDecimal.ZERO)(_.add(_)).doubleValue
      val (sum, rest) = (new ExactSum, new ExactSum)
      val (some, others) = random.shuffle(all).splitAt(all.length / 3)
      some.foreach(sum.add)
      others.foreach(rest.add)
      sum.merge(rest)
      assert(sum.rounded == right)
    }
    val infinite = new ExactSum
    Seq(1e308, 1e308, 1e308).foreach(infinite.add)
    assert(infinite.rounded.isNaN)
  }

  test("estimators, models and pipelines come back as they were saved") {
    withFolder { folder =>
      withSession() { spark =>
        val rows = frame(spark, matrix(300, 0.5))
        def path(name: String) = folder.resolve(name).toString
        val estimator = pca.setCenter(true)
        estimator.save(path("estimator"))
        val same = TomoPCA.load(path("estimator"))
        assert(
          (same.uid, same.getK, same.getCenter, same.getInputCol, same.getOutputCol) == ((
            estimator.uid,
            3,
            true,
            "v",
            "scores"
          ))
        )
        val model = estimator.fit(rows)
        assert(model.parent == estimator && model.uid == estimator.uid && model.getK == 3)
        model.save(path("model"))
        intercept[java.io.IOException](model.save(path("model")))
        model.write.overwrite().save(path("model"))
        val read = TomoModel.load(path("model"))
        assert(bits(read) == bits(model) && read.getCenter && read.uid == model.uid && read.components.numRows == 6)
        val scores = vectors(model.transform(rows), "scores")
        assert(vectors(read.transform(rows), "scores") == scores)
        val copied = model.copy(ParamMap(model.outputCol -> "others"))
        assert(copied.parent == estimator && vectors(copied.transform(rows), "others") == scores)
        val pipeline = new Pipeline().setStages(Array(svd, pca.setInputCol("scores").setOutputCol("twice").setK(2)))
        pipeline.save(path("pipeline"))
        val fitted = Pipeline.load(path("pipeline")).fit(rows)
        fitted.save(path("fitted"))
        val twice = vectors(fitted.transform(rows), "twice")
        assert(twice.head.size == 2 && vectors(PipelineModel.load(path("fitted")).transform(rows), "twice") == twice)
      }
    }
  }

  test("a CrossValidator chooses k, and the output column says its size") {
    withFolder { folder =>
      withSession() { spark =>
        // What is to be predicted is in the second component only.
        val rows = frame(spark, matrix(400, 1), 2)
        val second = new TomoPCA().setK(2).setInputCol("v").setOutputCol("p").fit(rows).transform(rows)
        val label = org.apache.spark.sql.functions.udf((scores: Vector) => scores(1))
        val labeled = second.withColumn("label", label(col("p")) + rand(3)).drop("p").cache()
        val pca = new TomoPCA().setInputCol("v").setOutputCol("features")
        val grid = new ParamGridBuilder().addGrid(pca.k, Array(1, 2)).build()
        val validator = new CrossValidator()
          .setEstimator(new Pipeline().setStages(Array(pca, new LinearRegression())))
          .setEvaluator(new RegressionEvaluator())
          .setEstimatorParamMaps(grid)
          .setNumFolds(2)
        val model = validator.fit(labeled)
        assert(model.avgMetrics(1) < model.avgMetrics(0) / 5, model.avgMetrics.toSeq)
        model.save(folder.resolve("m").toString)
        val read = CrossValidatorModel.load(folder.resolve("m").toString)
        val scored = read.transform(labeled)
        assert(AttributeGroup.fromStructField(scored.schema("features")).size == 2)
        assert(read.bestModel.asInstanceOf[PipelineModel].stages.head.asInstanceOf[TomoModel].getK == 2)
      }
    }
  }

  test("what is wrong with columns, parameters and rows is one error that says which") {
    withSession() { spark =>
      val rows = frame(spark, matrix(20, 0.5))
      def usage(call: => Any): String = intercept[UsageException](call).getMessage
      def input(call: => Any): String = intercept[InputException](call).getMessage
      assert(usage(svd.setInputCol("w").fit(rows)) == "inputCol: there is no column w; there are v")
      val integers = frameOf(spark, Seq(Tuple1(1)), "n")
      assert(usage(svd.setInputCol("n").fit(integers)).startsWith("inputCol: column n is of type int"))
      assert(usage(svd.setOutputCol("v").fit(rows)).startsWith("outputCol: there is a column v already"))
      assert(usage(pca.setK(7).fit(rows)).contains("7 is more than the 6"))
      assert(intercept[IllegalArgumentException](pca.setK(0)).getMessage.contains("k given invalid value 0"))
      for (estimator <- Seq(svd, pca)) {
        def fit(rows: Seq[Array[Double]]) = estimator.setK(1).fit(frame(spark, rows))
        assert(input(fit(Seq(Array(1.5, 2), Array(1.5)))).contains("from 1 to 2 numbers"))
        assert(input(fit(Seq(Array(1.5, 2), Array(1.5, Double.NaN)))).contains("column 2 is no finite number"))
        assert(input(fit(Nil)).contains("no rows"))
        val none = frameOf(spark, Seq(Option(Vectors.dense(1, 2)), None).map(Tuple1(_)), "v")
        assert(input(estimator.fit(none)) == "column v has a null; give numbers")
      }
      val old = frameOf(spark, Seq(Tuple1(MllibVectors.dense(1, 2))), "v")
      assert(usage(svd.fit(old)) == "inputCol: column v has vectors of mllib; give those of ml (their method asML)")
      val model = svd.fit(rows)
      val thrown = intercept[Exception](model.transform(frame(spark, Seq(Array(1.0, 2)))).collect())
      assert(Causes.of(thrown).exists(_.getMessage == "a row has 2 numbers, and the model was fitted to rows of 6"))
    }
  }

  test("columns may have any names") {
    withSession() { spark =>
      val rows = frame(spark, matrix(20, 0.5))
      for (name <- Seq("a.b", "a`b", "index"); estimator <- Seq(svd, pca)) {
        val named = rows.toDF(name)
        val model = estimator.setInputCol(name).fit(named)
        assert(bits(model) == bits(estimator.setInputCol("v").fit(rows)))
        assert(vectors(model.transform(named), "scores").size == 20)
      }
    }
  }

  test("a matrix of less rank than k has as many components as its rank") {
    withSession() { spark =>
      val rows = frame(spark, Seq.tabulate(50)(i => Array(i * 1.0, i * 2.0, 7.0)))
      val model = pca.fit(rows)
      assert(model.components.numCols == 1 && close(model.explainedVariance.values.toSeq, Seq(1.0)))
      assert(vectors(model.transform(rows), "scores").head.size == 1)
    }
  }
}
