import dev.ludovic.netlib.blas.BLAS;
import dev.ludovic.netlib.blas.JavaBLAS;
import dev.ludovic.netlib.blas.NativeBLAS;
import io.tomobasis.spark.TomoBasis;
import io.tomobasis.spark.TomoBasisResult;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.mllib.linalg.Matrix;
import org.apache.spark.mllib.linalg.SingularValueDecomposition;
import org.apache.spark.mllib.linalg.Vector;
import org.apache.spark.mllib.linalg.Vectors;
import org.apache.spark.mllib.linalg.distributed.RowMatrix;
import org.apache.spark.sql.SparkSession;
import scala.Tuple2;

/**
 * One decomposition by MLlib, or by TomoBasis's library, of rows that are in the memory of Spark.
 *
 * <p>{@code WHAT K ROWS COLUMNS ANSWER}: WHAT is svd, pca, qr or tomobasis. ROWS is a file of little-endian int16, row by row. ANSWER
 * gets JSON: seconds and CPU seconds of the numeric part, the BLAS, and the numbers by which it is judged: singular values, of PCA the
 * shares of variance, of QR the entries of R, column by column.
 */
public final class OnSpark {
  /** Eight parts of the demo's series, four for each of two cores. */
  private static final String PART = "20000000";

  public static void main(String[] args) throws Exception {
    String what = args[0];
    int k = Integer.parseInt(args[1]);
    int columns = Integer.parseInt(args[3]);
    SparkSession spark = SparkSession.builder().getOrCreate();
    JavaSparkContext context = new JavaSparkContext(spark.sparkContext());
    context.hadoopConfiguration().set("mapreduce.input.fileinputformat.split.maxsize", PART);
    JavaRDD<Vector> rows = context.binaryRecords(args[2], 2 * columns).map(OnSpark::vector).cache();
    rows.count();
    Timed timed = new Timed();
    double[] numbers = what.equals("tomobasis") ? tomobasis(spark, rows, k) : mllib(what, new RowMatrix(rows.rdd()), k);
    String answer = timed.json(what.equals("tomobasis") ? "" : blas(), numbers);
    Files.writeString(Path.of(args[4]), answer);
    spark.stop();
  }

  private static Vector vector(byte[] record) {
    double[] row = new double[record.length / 2];
    ByteBuffer bytes = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);
    for (int j = 0; j < row.length; j++) {
      row[j] = bytes.getShort(2 * j);
    }
    return Vectors.dense(row);
  }

  /** All of the result: what is computed when it is asked for is asked for. */
  private static double[] mllib(String what, RowMatrix matrix, int k) {
    switch (what) {
      case "svd":
        SingularValueDecomposition<RowMatrix, Matrix> svd = matrix.computeSVD(k, true, 1e-9);
        svd.U().rows().count();
        return svd.s().toArray();
      case "pca":
        Tuple2<Matrix, Vector> pca = matrix.computePrincipalComponentsAndExplainedVariance(k);
        matrix.multiply(pca._1()).rows().count();
        return pca._2().toArray();
      case "qr":
        return matrix.tallSkinnyQR(false).R().toArray();
      default:
        throw new IllegalArgumentException(what);
    }
  }

  private static double[] tomobasis(SparkSession spark, JavaRDD<Vector> rows, int k) {
    TomoBasisResult result = TomoBasis.decompose(spark, rows.rdd(), Map.of("rank", Integer.toString(k)));
    result.U().write().format("noop").mode("overwrite").save();
    double[] s = result.svd().s().toArray();
    result.close();
    return s;
  }

  private static String blas() {
    BLAS blas;
    try {
      blas = NativeBLAS.getInstance();
    } catch (Throwable none) {
      blas = JavaBLAS.getInstance();
    }
    return blas.getClass().getSimpleName();
  }

  /** Time from when it is made: on the clock, and of all threads of this JVM on the CPUs. */
  private static final class Timed {
    private final long started = System.nanoTime();
    private final long before = cpu();

    private static long cpu() {
      return ((com.sun.management.OperatingSystemMXBean) java.lang.management.ManagementFactory.getOperatingSystemMXBean())
          .getProcessCpuTime();
    }

    String json(String blas, double[] numbers) {
      double seconds = (System.nanoTime() - started) / 1e9;
      double cpu = (cpu() - before) / 1e9;
      return String.format("{\"seconds\": %s, \"cpu\": %s, \"blas\": \"%s\", \"numbers\": %s}", seconds, cpu, blas, Arrays.toString(numbers));
    }
  }
}
