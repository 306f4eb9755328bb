package io.tomobasis.jni;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

/** Files to result through the native library, checked against what Java can compute itself. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class RoundTripTest {
  private static final SyntheticCt CT = new SyntheticCt(5, 80, 70, 2); // two row blocks, the second one short

  /** Of all slices of the scan. */
  private static byte[] records() {
    return Runs.decode(CT, Runs.plan(CT), new short[CT.slices() * CT.pixels()]);
  }

  @Test
  void slices_are_decoded_to_their_stored_values_with_their_digest() throws Exception {
    short[] pixels = new short[CT.slices() * CT.pixels()];
    byte[] records = Runs.decode(CT, Runs.plan(CT), pixels);
    int size = SliceDecoder.RECORD_BYTES;
    for (int j = 0; j < CT.slices(); j++) {
      assertArrayEquals(CT.stored(j), Arrays.copyOfRange(pixels, j * CT.pixels(), (j + 1) * CT.pixels()));
      ByteBuffer stored = ByteBuffer.allocate(4 * CT.pixels()).order(ByteOrder.LITTLE_ENDIAN);
      for (short value : CT.stored(j)) {
        stored.putInt(value);
      }
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(stored.array());
      assertArrayEquals(digest, Arrays.copyOfRange(records, size * j, size * j + 32));
    }
  }

  @Test
  void digests_are_those_of_the_entries_and_a_bad_slice_says_why() throws Exception {
    ByteBuffer entries = ByteBuffer.allocate(8 * CT.pixels()).order(ByteOrder.LITTLE_ENDIAN);
    for (short value : CT.stored(1)) {
      entries.putDouble(value - 1024.0);
    }
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(entries.array());
    try (SliceDecoder decoder = new SliceDecoder(Runs.plan(CT))) {
      SliceDigest[] found = decoder.digests(new int[] {1}, "a", FileBytes.whole(CT.file(1)));
      assertArrayEquals(digest, found[0].digest());
      assertEquals("", found[0].error());
      byte[] cut = Arrays.copyOf(CT.file(1), CT.file(1).length - 10);
      found = decoder.digests(new int[] {1, 1}, "a", FileBytes.whole(cut));
      assertEquals(2, found.length);
      assertTrue(found[1].error().startsWith("file 2 of "), found[1].error());
    }
  }

  @Test
  void a_copy_is_compared_by_its_pixels() {
    for (boolean same : new boolean[] {true, false}) {
      try (Inventory inventory = new Inventory(Runs.options())) {
        for (int j = 0; j <= CT.slices(); j++) {
          byte[] file = CT.file(j % CT.slices());
          inventory.add(j, "slice" + j, file.length, file);
        }
        SeriesPlan plan = inventory.select();
        assertEquals(2, plan.comparison().slices().length);
        SliceDigest one = new SliceDigest(new byte[32], "");
        byte[] other = new byte[32];
        other[5] = (byte) (same ? 0 : 1);
        SliceDigest[] decoded = {one, new SliceDigest(other, "")};
        if (same) {
          SeriesPlan compared = Inventory.compared(plan.json(), decoded, false);
          assertEquals(CT.slices(), compared.slices().length);
          assertTrue(String.join("", compared.notes()).contains("1 slice that repeats another"));
        } else {
          assertThrows(InputException.class, () -> Inventory.compared(plan.json(), decoded, false));
        }
      }
    }
  }

  @Test
  void a_result_is_known_by_its_manifest() {
    assertTrue(Results.found("{\"name\": \"another program's\"}".getBytes(), ResultKind.RESULT).isEmpty());
    String run = "{\"id\": \"0123\", \"folder\": \"run-0123\"}";
    String files = "[{\"path\": \"basis/part-0\"}]";
    String manifest = "{\"format\": \"tomobasis result 9\", \"run\": " + run + ", \"files\": " + files + "}";
    FoundResult found = Results.found(manifest.getBytes(), ResultKind.RESULT).orElseThrow();
    assertEquals(List.of("0123", "run-0123"), List.of(found.runId(), found.runFolder()));
    assertArrayEquals(new String[] {"", "run-0123", "run-0123/basis"}, found.folders());
    assertEquals(0, found.others(new String[] {"manifest.json", "_SUCCESS", "run-0123/", "run-0123/basis/part-0"}));
    assertEquals(2, found.others(new String[] {"mine", "run-0123/basis/part-0", "run-0123/mine"}));
    assertEquals(2, found.others(new String[] {"weights.parquet/", "run-0123/basis/part-0/", "basis/"}));
    assertTrue(Arrays.asList(Results.names().contents()).contains("basis"));
  }

  @Test
  void files_may_be_added_in_any_order() {
    try (Inventory inventory = new Inventory(Runs.options())) {
      for (int j = CT.slices() - 1; j >= 0; j--) {
        byte[] file = CT.file(j);
        inventory.add(j, "slice" + j, file.length, file);
      }
      SeriesPlan plan = inventory.select();
      assertEquals(Runs.plan(CT), plan.json());
      assertEquals(CT.pixels(), plan.rows() * plan.columns());
      SlicePlace[] places = new SlicePlace[CT.slices()];
      Arrays.setAll(places, j -> new SlicePlace(j, 0, null));
      assertArrayEquals(places, plan.slices());
      assertEquals(null, plan.comparison());
    }
  }

  @Test
  void a_head_too_short_asks_for_more_and_then_suffices() {
    try (Inventory inventory = new Inventory(Runs.options())) {
      byte[] file = new SyntheticCt(1, 300, 300, 4).file(0);
      byte[] head = Arrays.copyOf(file, 200);
      long needed = inventory.add(0, "a", file.length, head);
      while (needed != 0) {
        assertTrue(needed > head.length && needed <= file.length, "asked for " + needed + " after " + head.length);
        head = Arrays.copyOf(file, (int) needed);
        needed = inventory.add(0, "a", file.length, head);
      }
      assertTrue(head.length < file.length, "the pixels were asked for");
      assertEquals(1, inventory.select().slices().length);
    }
  }

  @Test
  void gram_sums_are_the_same_bytes_however_they_are_split() {
    short[] pixels = new short[CT.slices() * CT.pixels()];
    Runs.decode(CT, Runs.plan(CT), pixels);
    try (GramAccumulator first = new GramAccumulator(CT.slices());
        GramAccumulator second = new GramAccumulator(CT.slices())) {
      Runs.add(first, CT, pixels, 0);
      Runs.add(second, CT, pixels, 1);
      assertArrayEquals(Runs.gram(CT, pixels)[0], GramAccumulator.sum(second.part(0, 1), first.part(0, 1)));
    }
  }

  @Test
  void numbers_that_have_changed_on_their_way_are_damaged() {
    short[] block = {1, 2, 3, 4, 5, 6};
    long check = GramAccumulator.blockCheck(new short[] {1, 2}, 2, 0) + GramAccumulator.blockCheck(new short[] {3, 4, 5, 6}, 2, 1);
    GramAccumulator.verifyBlock(block, 2, check);
    try (GramAccumulator gram = new GramAccumulator(3)) {
      gram.add(block, 2, check);
      byte[] right = gram.part(0, 1);
      for (int i = 0; i < 16 * block.length; i++) {
        short[] wrong = block.clone();
        wrong[i / 16] ^= (short) (1 << i % 16);
        assertThrows(DamagedException.class, () -> gram.add(wrong, 2, check));
        assertThrows(DamagedException.class, () -> GramAccumulator.verifyBlock(wrong, 2, check));
      }
      assertArrayEquals(right, gram.part(0, 1));
      for (int i = 0; i < 8 * right.length; i++) {
        byte[] wrong = right.clone();
        wrong[i / 8] ^= (byte) (1 << i % 8);
        assertThrows(DamagedException.class, () -> GramAccumulator.sum(right, wrong));
      }
    }
  }

  @Test
  void gram_sums_that_travel_in_parts_give_the_same_decomposition() {
    String plan = Runs.plan(CT);
    short[] pixels = new short[CT.slices() * CT.pixels()];
    byte[] records = Runs.decode(CT, plan, pixels);
    try (GramAccumulator gram = new GramAccumulator(CT.slices());
        Decomposition whole = Runs.decompose(CT, 1)) {
      for (int b = 0; b < Runs.blocks(CT); b++) {
        Runs.add(gram, CT, pixels, b);
      }
      byte[][] parts = {gram.part(0, 3), gram.part(1, 3), gram.part(2, 3)};
      try (Decomposition inParts = Decomposition.compute(plan, Runs.options(), parts, records, 1)) {
        assertArrayEquals(whole.toBytes(), inParts.toBytes());
      }
      byte[][] lacking = {parts[0], parts[2]};
      assertThrows(
          ComputationException.class, () -> Decomposition.compute(plan, Runs.options(), lacking, records, 1));
    }
  }

  @Test
  void a_decomposition_survives_its_bytes_and_does_not_depend_on_threads() {
    try (Decomposition one = Runs.decompose(CT, 1);
        Decomposition two = Runs.decompose(CT, 2);
        Decomposition copy = Decomposition.fromBytes(one.toBytes())) {
      assertArrayEquals(one.toBytes(), two.toBytes());
      assertArrayEquals(one.toBytes(), copy.toBytes());
      assertEquals(one.closing("root", "output"), copy.closing("root", "output"));
      assertArrayEquals(one.notes(), copy.notes());
      assertEquals(one.composites(), copy.composites());
    }
  }

  @Test
  void a_decomposition_by_passes_depends_neither_on_threads_nor_on_where_blocks_are() {
    SyntheticCt ct = new SyntheticCt(4, 140, 130, 3); // five row blocks, the last one short
    String[][] methods = {
      {"--method", "tsqr"},
      {"--method", "tsqr", "--center", "--energy", "0.99"},
      {"--method", "dssvd", "--rank", "2", "--oversample", "1"},
      {"--method", "dspca", "--rank", "2", "--power-iterations", "0"},
    };
    for (String[] method : methods) {
      try (Decomposition one = Runs.inPasses(ct, 1, new int[] {0, 0, 0, 0, 0}, method);
          Decomposition cut = Runs.inPasses(ct, 2, new int[] {2, 1, 1, 0, 1}, method);
          Decomposition copy = Decomposition.fromBytes(one.toBytes())) {
        assertArrayEquals(one.toBytes(), cut.toBytes(), String.join(" ", method));
        assertArrayEquals(one.toBytes(), copy.toBytes());
      }
    }
  }

  @Test
  void a_rendered_series_becomes_the_files_of_a_result_folder() {
    renders(Runs.decompose(CT, 1));
  }

  @Test
  void a_series_that_was_decomposed_by_passes_is_rendered_alike() {
    renders(Runs.inPasses(CT, 1, new int[] {0, 1}, "--method", "tsqr"));
  }

  private static void renders(Decomposition decomposition) {
    short[] pixels = new short[CT.slices() * CT.pixels()];
    Runs.decode(CT, Runs.plan(CT), pixels);
    try (BlockRenderer renderer = new BlockRenderer(decomposition)) {
      byte[][] records = new byte[Runs.blocks(CT)][];
      byte[][] bands = new byte[Runs.blocks(CT)][];
      for (int b = 0; b < records.length; b++) {
        BlockParts rendered = renderer.render(b, Runs.block(CT, pixels, b), Runs.rows(CT, b), records(), new int[0]);
        assertEquals(1, rendered.files().length);
        assertEquals("basis/part-0000" + b + ".parquet", rendered.files()[0].path());
        assertEquals("PAR1", new String(rendered.files()[0].bytes(), 0, 4));
        assertEquals(0, rendered.composites().length);
        records[b] = rendered.record();
        bands[b] = rendered.pictures();
      }
      NamedFile[] files = decomposition.finish(records, new byte[0][], renderer.pictures(bands), "{}").files();
      String[] names = Arrays.stream(files).map(NamedFile::path).toArray(String[]::new);
      for (String name : new String[] {"manifest.json", "singular_values.parquet", "weights.parquet", "report.html"}) {
        assertTrue(Arrays.asList(names).contains(name), Arrays.toString(names));
      }
      assertTrue(Arrays.stream(names).anyMatch(name -> name.startsWith("pictures/")), Arrays.toString(names));
    } finally {
      decomposition.close();
    }
  }

  @Test
  void composites_become_derived_files_however_the_slices_are_cut() {
    String plan = Runs.plan(CT);
    short[] pixels = new short[CT.slices() * CT.pixels()];
    byte[] sliceRecords = Runs.decode(CT, plan, pixels);
    String options = Runs.options("--emit", "dicom", "--composite", "2,4");
    try (Decomposition decomposition = Decomposition.compute(plan, options, Runs.gram(CT, pixels), sliceRecords, 1);
        BlockRenderer renderer = new BlockRenderer(decomposition)) {
      List<DerivedFile> whole = derived(renderer, pixels, 0);
      List<DerivedFile> cut = derived(renderer, pixels, 0, 2, 3);
      assertEquals(2 * CT.slices(), whole.size());
      for (int i = 0; i < whole.size(); i++) {
        assertEquals(whole.get(i).path(), cut.get(i).path());
        assertArrayEquals(whole.get(i).bytes(), cut.get(i).bytes());
        assertArrayEquals(whole.get(i).records(), cut.get(i).records());
      }
      assertEquals("dicom/k=2/slice-00000.dcm", whole.get(0).path());
      byte[][] records = new byte[Runs.blocks(CT)][];
      for (int b = 0; b < records.length; b++) {
        records[b] = renderer.render(b, Runs.block(CT, pixels, b), Runs.rows(CT, b), records(), new int[] {0}).record();
      }
      byte[][] derived = whole.stream().map(DerivedFile::records).toArray(byte[][]::new);
      NamedFile[] files = decomposition.finish(records, derived, new NamedFile[0], "{}").files();
      assertTrue(new String(files[files.length - 1].bytes()).contains("\"clipped\""));
    }
  }

  /** All files of the runs of slices that begin at {@code starts}, in the order of the slices. */
  private static List<DerivedFile> derived(BlockRenderer renderer, short[] pixels, int... starts) {
    List<DerivedFile> files = new ArrayList<>();
    for (int run = 0; run < starts.length; run++) {
      int end = run + 1 < starts.length ? starts[run + 1] : CT.slices();
      try (DerivedSlices slices = new DerivedSlices(renderer, starts[run], end - starts[run])) {
        for (int b = Runs.blocks(CT) - 1; b >= 0; b--) {
          slices.add(renderer.render(b, Runs.block(CT, pixels, b), Runs.rows(CT, b), records(), starts).composites()[run]);
        }
        for (int j = starts[run]; j < end; j++) {
          files.addAll(List.of(slices.write(j, "slice" + j, CT.file(j))));
        }
      }
    }
    return files;
  }

  @Test
  void a_block_has_a_file_of_each_format() {
    short[] pixels = new short[CT.slices() * CT.pixels()];
    byte[] sliceRecords = Runs.decode(CT, Runs.plan(CT), pixels);
    for (String emit : new String[] {"drm,text,parquet", "text", "png"}) {
      String options = Runs.options("--emit", emit);
      try (Decomposition decomposition = Decomposition.compute(Runs.plan(CT), options, Runs.gram(CT, pixels), sliceRecords, 1);
          BlockRenderer renderer = new BlockRenderer(decomposition)) {
        NamedFile[] files = renderer.render(0, Runs.block(CT, pixels, 0), Runs.rows(CT, 0), records(), new int[0]).files();
        String[] expected = emit.equals("png") ? new String[0]
            : emit.equals("text") ? new String[] {"text/drmV/part-00000"}
            : new String[] {"basis/part-00000.parquet", "text/drmV/part-00000", "drm/U/part-00000"};
        assertArrayEquals(expected, Arrays.stream(files).map(NamedFile::path).toArray(String[]::new));
        for (NamedFile file : files) {
          if (file.path().startsWith("text")) {
            assertEquals("(0,{0:", new String(file.bytes(), 0, 6));
          } else if (file.path().startsWith("drm")) {
            assertEquals("org.apache.hadoop.io.IntWritable", new String(file.bytes(), 5, 32));
          }
        }
      }
    }
  }

  @Test
  void a_renderer_outlives_its_decomposition_and_serves_many_threads() {
    short[] pixels = new short[CT.slices() * CT.pixels()];
    Runs.decode(CT, Runs.plan(CT), pixels);
    Decomposition decomposition = Runs.decompose(CT, 1);
    try (BlockRenderer renderer = new BlockRenderer(decomposition)) {
      decomposition.close();
      short[] block = Runs.block(CT, pixels, 0);
      BlockParts once = renderer.render(0, block, Runs.rows(CT, 0), records(), new int[0]);
      int rows = Runs.rows(CT, 0);
      IntStream.range(0, 16)
          .parallel()
          .forEach(i -> assertSame(once, renderer.render(0, block, rows, records(), new int[0])));
    }
  }

  @Test
  void every_call_fits_on_a_small_stack() throws Exception {
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread small = new Thread(null, this::a_rendered_series_becomes_the_files_of_a_result_folder, "small", 256 << 10);
    small.setUncaughtExceptionHandler((thread, e) -> failure.set(e));
    small.start();
    small.join();
    assertEquals(null, failure.get());
  }

  private static void assertSame(BlockParts one, BlockParts other) {
    assertEquals(one.files()[0].path(), other.files()[0].path());
    assertArrayEquals(one.files()[0].bytes(), other.files()[0].bytes());
    assertArrayEquals(one.record(), other.record());
    assertArrayEquals(one.pictures(), other.pictures());
    assertArrayEquals(one.composites(), other.composites());
  }
}
