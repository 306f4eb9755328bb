import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.IntWritable;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.SequenceFile;
import org.apache.hadoop.io.Writable;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.util.ReflectionUtils;
import org.apache.mahout.math.DenseVector;
import org.apache.mahout.math.NamedVector;
import org.apache.mahout.math.RandomAccessSparseVector;
import org.apache.mahout.math.SequentialAccessSparseVector;
import org.apache.mahout.math.Vector;
import org.apache.mahout.math.VectorWritable;

/**
 * Distributed row matrices by Mahout's own classes and Hadoop's.
 *
 * <p>{@code NUMBERS FILE TYPE CODEC KEY VECTOR ROW...}: the rows of a matrix of which NUMBERS holds rows, columns and float64s, all
 * big-endian, as a SequenceFile of a compression type (NONE, RECORD, BLOCK) and codec (a class's name, or -); keys {@code int} or
 * {@code long}; vectors dense, random, sequential, named, lax or mixed. Then it reads the file: NUMBERS holds what was in it, by its keys.
 *
 * <p>{@code NUMBERS FILE [FROM]}: reads a file, from the first mark behind a place on.
 */
public final class Drm {
  private static final Configuration CONF = new Configuration();

  public static void main(String[] args) throws Exception {
    CONF.set("fs.file.impl", "org.apache.hadoop.fs.RawLocalFileSystem");
    CONF.setInt("io.seqfile.compress.blocksize", 4096);
    if (args.length > 3) {
      write(args);
    }
    read(args[0], args[1], args.length == 3 ? Long.parseLong(args[2]) : 0);
  }

  private static void write(String[] args) throws Exception {
    double[][] matrix;
    try (DataInputStream in = new DataInputStream(new BufferedInputStream(new FileInputStream(args[0])))) {
      matrix = new double[in.readInt()][in.readInt()];
      for (double[] row : matrix) {
        for (int j = 0; j < row.length; j++) {
          row[j] = in.readDouble();
        }
      }
    }
    boolean ints = args[4].equals("int");
    List<SequenceFile.Writer.Option> options = new ArrayList<>();
    options.add(SequenceFile.Writer.file(new Path(args[1])));
    options.add(SequenceFile.Writer.keyClass(ints ? IntWritable.class : LongWritable.class));
    options.add(SequenceFile.Writer.valueClass(VectorWritable.class));
    SequenceFile.CompressionType type = SequenceFile.CompressionType.valueOf(args[2]);
    if (args[3].equals("-")) {
      options.add(SequenceFile.Writer.compression(type));
    } else {
      Class<?> codec = Class.forName(args[3]);
      options.add(SequenceFile.Writer.compression(type, (CompressionCodec) ReflectionUtils.newInstance(codec, CONF)));
    }
    try (SequenceFile.Writer out = SequenceFile.createWriter(CONF, options.toArray(new SequenceFile.Writer.Option[0]))) {
      for (int i = 6; i < args.length; i++) {
        int row = Integer.parseInt(args[i]);
        Writable key = ints ? new IntWritable(row) : new LongWritable(row);
        out.append(key, vector(args[5], row, matrix[row]));
      }
    }
  }

  private static VectorWritable vector(String kind, int row, double[] numbers) {
    DenseVector dense = new DenseVector(numbers);
    String of = kind.equals("mixed") ? new String[] {"dense", "random", "sequential", "named", "namedSparse"}[row % 5] : kind;
    switch (of) {
      case "random":
        return new VectorWritable(new RandomAccessSparseVector(dense));
      case "sequential":
        return new VectorWritable(new SequentialAccessSparseVector(dense));
      case "named":
        return new VectorWritable(new NamedVector(dense, "row " + row));
      case "namedSparse":
        return new VectorWritable(new NamedVector(new SequentialAccessSparseVector(dense), "row " + row));
      case "lax":
        return new VectorWritable(dense, true);
      default:
        return new VectorWritable(dense);
    }
  }

  private static void read(String numbers, String file, long from) throws Exception {
    Map<Long, Vector> rows = new TreeMap<>();
    try (SequenceFile.Reader in = new SequenceFile.Reader(CONF, SequenceFile.Reader.file(new Path(file)))) {
      Writable key = (Writable) ReflectionUtils.newInstance(in.getKeyClass(), CONF);
      VectorWritable value = new VectorWritable();
      if (from > 0) {
        in.sync(from);
      }
      while (in.next(key, value)) {
        rows.put(key instanceof IntWritable ? ((IntWritable) key).get() : ((LongWritable) key).get(), value.get());
        value = new VectorWritable();
      }
    }
    try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(new FileOutputStream(numbers)))) {
      out.writeInt(rows.size());
      out.writeInt(rows.values().iterator().next().size());
      for (Vector row : rows.values()) {
        for (int j = 0; j < row.size(); j++) {
          out.writeDouble(row.get(j));
        }
      }
    }
  }
}
