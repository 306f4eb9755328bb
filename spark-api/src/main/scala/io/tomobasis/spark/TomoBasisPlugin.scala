package io.tomobasis.spark

import com.codahale.metrics.{Gauge, MetricRegistry}
import org.apache.spark.api.plugin.{DriverPlugin, ExecutorPlugin, PluginContext, SparkPlugin}

import java.util.{Map => JavaMap}

import io.tomobasis.figures.{Counted, Figures, Totals}

/**
 * TomoBasis's figures among Spark's metrics, on the driver and on executors, for whatever sink or servlet they have; turned on by
 * `spark.plugins=io.tomobasis.spark.TomoBasisPlugin`.
 *
 * The metrics' source is `plugin.io.tomobasis.spark.TomoBasisPlugin`. `tasks.*` is what tasks of that process have done since it
 * started; `runs.*`, on the driver, what all tasks of its runs have done, wherever they ran; `native_memory.*` is native memory of that
 * process.
 */
final class TomoBasisPlugin extends SparkPlugin {

  override def driverPlugin(): DriverPlugin = new DriverPlugin {
    override def registerMetrics(application: String, plugin: PluginContext): Unit = TomoBasisPlugin.register(plugin)
  }

  override def executorPlugin(): ExecutorPlugin = new ExecutorPlugin {
    override def init(plugin: PluginContext, more: JavaMap[String, String]): Unit = TomoBasisPlugin.register(plugin)
  }
}

private object TomoBasisPlugin {

  /** What Spark calls the driver among executors. */
  private val Driver = "driver"

  /** In a local master both plugins register for one process: the same, since Spark keeps the first. */
  private def register(plugin: PluginContext): Unit = {
    val registry = plugin.metricRegistry
    figures(registry, "tasks", Totals.ofTasks)
    if (plugin.executorID == Driver) figures(registry, "runs", Totals.ofRuns)
    gauge(registry, "native_memory.bytes")(Totals.nativeBytes)
    gauge(registry, "native_memory.peak_bytes")(Totals.nativePeak)
  }

  private def figures(registry: MetricRegistry, prefix: String, value: Counted => Long): Unit = {
    Counted.all.foreach(what => gauge(registry, s"$prefix.${what.name}")(value(what)))
    gauge(registry, s"$prefix.gmac_per_second_and_core")(
      Figures.rate(value(Counted.Products), value(Counted.Nanoseconds))
    )
  }

  private def gauge[T](registry: MetricRegistry, name: String)(value: => T): Unit = {
    registry.register(
      name,
      new Gauge[T] {
        override def getValue(): T = value
      }
    )
    ()
  }
}
