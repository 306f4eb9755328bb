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
 * <p>{@code write NUMBERS FILE TYPE CODEC KEY VECTOR ROW...}: the rows of a matrix of which NUMBERS holds rows, columns and float64s, all
 * big-endian, as a SequenceFile of a compression type (NONE, RECORD, BLOCK) and codec (a class's name, or -); keys {@code int} or
 * {@code long}; vectors dense, random, sequential, named, lax or mixed. {@code read NUMBERS FILE...} is the inverse.
 */
public final class Drm {
  private static final Configuration CONF = new Configuration();

  public static void main(String[] args) throws Exception {
    CONF.set("fs.file.impl", "org.apache.hadoop.fs.RawLocalFileSystem");
    CONF.setInt("io.seqfile.compress.blocksize", 4096);
    if (args[0].equals("write")) {
      write(args);
    } else {
      read(args);
    }
  }

  private static void write(String[] args) throws Exception {
    double[][] matrix;
    try (DataInputStream in = new DataInputStream(new BufferedInputStream(new FileInputStream(args[1])))) {
      matrix = new double[in.readInt()][in.readInt()];
      for (double[] row : matrix) {
        for (int j = 0; j < row.length; j++) {
          row[j] = in.readDouble();
        }
      }
    }
    boolean ints = args[5].equals("int");
    List<SequenceFile.Writer.Option> options = new ArrayList<>();
    options.add(SequenceFile.Writer.file(new Path(args[2])));
    options.add(SequenceFile.Writer.keyClass(ints ? IntWritable.class : LongWritable.class));
    options.add(SequenceFile.Writer.valueClass(VectorWritable.class));
    SequenceFile.CompressionType type = SequenceFile.CompressionType.valueOf(args[3]);
    if (args[4].equals("-")) {
      options.add(SequenceFile.Writer.compression(type));
    } else {
      Class<?> codec = Class.forName(args[4]);
      options.add(SequenceFile.Writer.compression(type, (CompressionCodec) ReflectionUtils.newInstance(codec, CONF)));
    }
    try (SequenceFile.Writer out = SequenceFile.createWriter(CONF, options.toArray(new SequenceFile.Writer.Option[0]))) {
      for (int i = 7; i < args.length; i++) {
        int row = Integer.parseInt(args[i]);
        Writable key = ints ? new IntWritable(row) : new LongWritable(row);
        out.append(key, vector(args[6], row, matrix[row]));
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

  private static void read(String[] args) throws Exception {
    Map<Long, Vector> rows = new TreeMap<>();
    for (int i = 2; i < args.length; i++) {
      try (SequenceFile.Reader in = new SequenceFile.Reader(CONF, SequenceFile.Reader.file(new Path(args[i])))) {
        Writable key = (Writable) ReflectionUtils.newInstance(in.getKeyClass(), CONF);
        VectorWritable value = new VectorWritable();
        while (in.next(key, value)) {
          rows.put(key instanceof IntWritable ? ((IntWritable) key).get() : ((LongWritable) key).get(), value.get());
          value = new VectorWritable();
        }
      }
    }
    try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(new FileOutputStream(args[1])))) {
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
