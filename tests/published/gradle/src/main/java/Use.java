import io.tomobasis.spark.TomoBasis;
import io.tomobasis.spark.TomoBasisResult;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** A Java program that decomposes two rows and prints what it found. */
public final class Use {
  private Use() {}

  public static void main(String[] arguments) {
    SparkSession spark = SparkSession.builder().master("local[1]").config("spark.ui.enabled", "false").getOrCreate();
    Dataset<Row> frame = spark.sql("select array(3D, 0D) as row union all select array(0D, 4D)").coalesce(1);
    try (TomoBasisResult result = TomoBasis.decompose(frame, Map.of("rank", "2"))) {
      List<Row> values = result.s().orderBy("index").collectAsList();
      System.out.println("sigma " + values.get(0).getDouble(1) + " " + values.get(1).getDouble(1));
      System.out.println("rows " + result.U().count() + " root " + result.root());
    }
    spark.stop();
  }
}
