import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;
import org.apache.mahout.math.DenseVector;
import org.apache.mahout.math.Vector;
import org.apache.mahout.math.decompositions.DSSVD;
import org.apache.mahout.math.drm.CacheHint$;
import org.apache.mahout.math.drm.CheckpointedDrm;
import org.apache.mahout.math.drm.DrmLike;
import org.apache.mahout.sparkbindings.SparkDistributedContext;
import org.apache.mahout.sparkbindings.drm.CheckpointedDrmSparkOps;
import org.apache.mahout.sparkbindings.package$;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Tuple2;
import scala.Tuple3;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * One {@code dssvd} by Mahout 14.1 on Spark 2.4.5, of rows that are in the memory of Spark.
 *
 * <p>{@code K P Q MASTER ROWS COLUMNS ANSWER}: as {@code OnSpark}, with oversampling and power iterations.
 */
public final class MahoutDssvd {
  @SuppressWarnings({"unchecked", "rawtypes"})
  public static void main(String[] args) throws Exception {
    int columns = Integer.parseInt(args[5]);
    SparkConf conf = new SparkConf().set("spark.ui.enabled", "false");
    SparkDistributedContext mahout =
        package$.MODULE$.mahoutSparkContext(args[3], "dssvd", package$.MODULE$.mahoutSparkContext$default$3(), conf, false);
    JavaSparkContext context = new JavaSparkContext(mahout.sc());
    context.hadoopConfiguration().set("mapreduce.input.fileinputformat.split.maxsize", "20000000");
    JavaRDD<Tuple2<Object, Vector>> rows =
        context.binaryRecords(args[4], 2 * columns).zipWithIndex().map(row -> row(row._1(), row._2())).cache();
    long count = rows.count();
    ClassTag<Object> integers = (ClassTag) ClassTag$.MODULE$.Int();
    CheckpointedDrm<Object> a =
        package$.MODULE$.drmWrap(rows.rdd(), count, columns, CacheHint$.MODULE$.NONE(), false, integers);
    OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long started = System.nanoTime();
    long before = system.getProcessCpuTime();
    Tuple3<DrmLike<Object>, DrmLike<Object>, Vector> svd =
        DSSVD.dssvd(a, Integer.parseInt(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2]), CacheHint$.MODULE$.MEMORY_ONLY());
    new CheckpointedDrmSparkOps<Object>(svd._1().checkpoint(CacheHint$.MODULE$.NONE())).rdd().count();
    new CheckpointedDrmSparkOps<Object>(svd._2().checkpoint(CacheHint$.MODULE$.NONE())).rdd().count();
    double seconds = (System.nanoTime() - started) / 1e9;
    double cpu = (system.getProcessCpuTime() - before) / 1e9;
    double[] s = new double[svd._3().size()];
    for (int i = 0; i < s.length; i++) {
      s[i] = svd._3().get(i);
    }
    String answer = String.format(
        "{\"seconds\": %s, \"cpu\": %s, \"blas\": \"%s\", \"numbers\": %s}", seconds, cpu, System.getProperty("java.version"), Arrays.toString(s));
    Files.write(Paths.get(args[6]), answer.getBytes(StandardCharsets.UTF_8));
    mahout.close();
  }

  private static Tuple2<Object, Vector> row(byte[] record, long index) {
    double[] numbers = new double[record.length / 2];
    ByteBuffer bytes = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);
    for (int j = 0; j < numbers.length; j++) {
      numbers[j] = bytes.getShort(2 * j);
    }
    return new Tuple2<>((int) index, new DenseVector(numbers, true));
  }
}
