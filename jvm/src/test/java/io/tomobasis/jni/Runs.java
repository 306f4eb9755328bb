package io.tomobasis.jni;

import java.util.ArrayList;
import java.util.List;

/** The whole way from files to a result through the classes of this package, in one process and one row block at a time. */
final class Runs {
  static final int BLOCK_ROWS = 4096;

  private Runs() {}

  static String options(String... more) {
    List<String> args = new ArrayList<>(List.of("--input", "in", "--output", "out"));
    args.addAll(List.of(more));
    return ((JobOptions) CommandLine.parse(args.toArray(new String[0]))).json();
  }

  static String plan(SyntheticCt ct) {
    try (Inventory inventory = new Inventory(options())) {
      for (int j = 0; j < ct.slices(); j++) {
        byte[] file = ct.file(j);
        if (inventory.add(j, "slice" + j, file.length, file) != 0) {
          throw new AssertionError("a whole file is not enough");
        }
      }
      return inventory.select().json();
    }
  }

  /** Slice records, concatenated; {@code pixels} receives the whole matrix, slice after slice. */
  static byte[] decode(SyntheticCt ct, String plan, short[] pixels) {
    int size = SliceDecoder.RECORD_BYTES;
    byte[] records = new byte[size * ct.slices()];
    try (SliceDecoder decoder = new SliceDecoder(plan)) {
      for (int j = 0; j < ct.slices(); j++) {
        byte[] record = decoder.decode(j, "slice" + j, ct.file(j), pixels, j * ct.pixels());
        System.arraycopy(record, 0, records, size * j, size);
      }
    }
    return records;
  }

  static short[] block(SyntheticCt ct, short[] pixels, int block) {
    int rows = rows(ct, block);
    short[] values = new short[rows * ct.slices()];
    for (int j = 0; j < ct.slices(); j++) {
      System.arraycopy(pixels, j * ct.pixels() + block * BLOCK_ROWS, values, j * rows, rows);
    }
    return values;
  }

  static int rows(SyntheticCt ct, int block) {
    return Math.min(BLOCK_ROWS, ct.pixels() - block * BLOCK_ROWS);
  }

  static int blocks(SyntheticCt ct) {
    return (ct.pixels() + BLOCK_ROWS - 1) / BLOCK_ROWS;
  }

  static byte[][] gram(SyntheticCt ct, short[] pixels) {
    try (GramAccumulator gram = new GramAccumulator(ct.slices())) {
      for (int b = 0; b < blocks(ct); b++) {
        add(gram, ct, pixels, b);
      }
      return new byte[][] {gram.part(0, 1)};
    }
  }

  static void add(GramAccumulator gram, SyntheticCt ct, short[] pixels, int b) {
    short[] block = block(ct, pixels, b);
    gram.add(block, rows(ct, b), GramAccumulator.blockCheck(block, rows(ct, b), 0));
  }

  static Decomposition decompose(SyntheticCt ct, int threads) {
    String plan = plan(ct);
    short[] pixels = new short[ct.slices() * ct.pixels()];
    byte[] records = decode(ct, plan, pixels);
    return Decomposition.compute(plan, options(), gram(ct, pixels), records, threads);
  }

  /** By passes; {@code cut} says where each block is: blocks of one number go through one {@link BlockPartials}. */
  static Decomposition inPasses(SyntheticCt ct, int threads, int[] cut, String... options) {
    String plan = plan(ct);
    short[] pixels = new short[ct.slices() * ct.pixels()];
    byte[] records = decode(ct, plan, pixels);
    try (PassDriver driver = new PassDriver(plan, options(options))) {
      for (int left = driver.left(); left > 0; left--) {
        try (BlockPass pass = new BlockPass(driver.pass().orElseThrow())) {
          byte[][] partials = new byte[blocks(ct)][];
          for (int part = 0; part < partials.length; part++) {
            try (BlockPartials found = new BlockPartials(pass)) {
              for (int b = blocks(ct) - 1; b >= 0; b--) {
                if (cut[b] == part) {
                  found.add(b, block(ct, pixels, b), rows(ct, b));
                }
              }
              partials[part] = found.take();
            }
          }
          driver.add(partials, threads);
        }
      }
      if (driver.pass().isPresent()) {
        throw new AssertionError("a pass after the last");
      }
      return driver.finish(records);
    }
  }
}
