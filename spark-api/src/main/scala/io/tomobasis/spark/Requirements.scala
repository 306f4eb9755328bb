package io.tomobasis.spark

import org.apache.spark.SparkContext
import org.apache.spark.serializer.KryoSerializer

import io.tomobasis.jni.UsageException
import io.tomobasis.matrix.KernelRegistrator

/** What a session must have. */
private[spark] object Requirements {
  private val Registration = "spark.kryo.registrationRequired"
  private val Registrator = "spark.kryo.registrator"

  /** Throws UsageException. */
  def check(context: SparkContext): Unit = {
    val conf = context.getConf
    val kryo = conf.get("spark.serializer", "") == classOf[KryoSerializer].getName
    val ours = classOf[KernelRegistrator].getName
    if (
      kryo && conf.getBoolean(Registration, false) && !conf.get(Registrator, "").split(',').map(_.trim).contains(ours)
    )
      throw new UsageException(
        s"$Registration: the classes that Spark serializes are not registered; add $ours to $Registrator"
      )
  }
}
