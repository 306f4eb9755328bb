package io.tomobasis.job

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path => HadoopPath}
import org.apache.hadoop.hdfs.MiniDFSCluster
import org.scalatest.BeforeAndAfterAll
import org.scalatest.funsuite.AnyFunSuite

import java.nio.file.{Files, Path}

import io.tomobasis.run.TestFolder._
import io.tomobasis.jni.SyntheticCt
import io.tomobasis.run.JobConfig

/** Input and output on a real HDFS: a name node and a data node in this JVM. */
class HdfsSuite extends AnyFunSuite with BeforeAndAfterAll {
  private val disk = Files.createTempDirectory("tomobasis-hdfs-")
  private lazy val hdfs = {
    val conf = new Configuration
    conf.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, disk.toString)
    val cluster = new MiniDFSCluster.Builder(conf).numDataNodes(1).build()
    cluster.waitActive()
    cluster
  }
  private def fs: FileSystem = hdfs.getFileSystem
  private def uri(path: String): String = s"hdfs://localhost:${hdfs.getNameNodePort}$path"

  override def afterAll(): Unit = hdfs.shutdown(true)

  private def run(input: String, output: String, options: String*): Unit = {
    val words = Array("--input", input, "--output", output) ++ (if (options.isEmpty) Seq("--rank", "5") else options)
    val config = JobConfig.parse(words).toOption.get
    captured((out, err) => DecomposeJob.run(config, Main.sparkConf().set("spark.master", "local[2]"), out, err))
    ()
  }

  test("a scan on HDFS gives the files that it gives on the local disk, and the folder appears whole") {
    withFolder { base =>
      val input = writeSeries(base.resolve("in"), new SyntheticCt(9, 100, 130, 3))
      run(input.toString, base.resolve("local").toString)
      fs.copyFromLocalFile(new HadoopPath(input.toString), new HadoopPath("/scan"))
      run(uri("/scan"), uri("/results/hdfs"))
      fs.copyToLocalFile(new HadoopPath("/results/hdfs"), new HadoopPath(base.resolve("hdfs").toString))
      val names = Seq("basis/part-00000.parquet", "basis/part-00003.parquet", "weights.parquet", "_SUCCESS")
      for (name <- names)
        assert(bytes(base.resolve("hdfs").resolve(name)) == bytes(base.resolve("local").resolve(name)))
      assert(fs.listStatus(new HadoopPath("/results")).map(_.getPath.getName).toSeq == Seq("hdfs"))
    }
  }

  for (kind <- Seq("zip", "tar", "tar.gz"))
    test(s"a $kind on HDFS gives the files that the folder gives") {
      withFolder { base =>
        val input = writeSeries(base.resolve("in"), new SyntheticCt(9, 100, 130, 3))
        run(input.toString, base.resolve("local").toString)
        val archive = pack(input, base.resolve("archive"), kind)
        fs.copyFromLocalFile(new HadoopPath(archive.toString), new HadoopPath(s"/archive-$kind"))
        run(uri(s"/archive-$kind"), base.resolve("packed").toString)
        for (name <- Seq("basis/part-00003.parquet", "weights.parquet"))
          assert(bytes(base.resolve("packed").resolve(name)) == bytes(base.resolve("local").resolve(name)))
      }
    }

  test("a matrix on HDFS gives the files that it gives on the local disk") {
    withFolder { base =>
      val input = Files.createDirectory(base.resolve("in"))
      for (part <- 0 to 1) {
        val rows = (0 until 5000).map(i => s"${math.sin(i + part)} ${i * 0.37} $part.5\n")
        Files.writeString(input.resolve(s"part-$part"), rows.mkString)
      }
      run(input.toString, base.resolve("local").toString, "--input-format", "text")
      fs.copyFromLocalFile(new HadoopPath(input.toString), new HadoopPath("/matrix"))
      run(uri("/matrix"), base.resolve("hdfs").toString, "--input-format", "text")
      for (name <- Seq("basis/part-00002.parquet", "weights.parquet", "singular_values.parquet"))
        assert(bytes(base.resolve("hdfs").resolve(name)) == bytes(base.resolve("local").resolve(name)))
    }
  }

  private def bytes(file: Path): Seq[Byte] = Files.readAllBytes(file).toSeq
}
