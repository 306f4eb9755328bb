package io.tomobasis.jni;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What the Java side refuses before native code sees it, and what native code refuses by itself. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ArgumentsTest {
  private static final SyntheticCt CT = new SyntheticCt(3, 8, 6, 1);
  private static final byte[] RECORDS = Runs.decode(CT, Runs.plan(CT), new short[CT.slices() * CT.pixels()]);

  @Test
  void nulls_are_null_pointer_exceptions() throws Exception {
    String plan = Runs.plan(CT);
    assertNull(() -> CommandLine.parse(null));
    assertNull(() -> CommandLine.parse(new String[] {"--input", null}));
    assertNull(() -> new Inventory(null));
    assertNull(() -> new SliceDecoder(null));
    assertNull(() -> Decomposition.fromBytes(null));
    assertNull(() -> Decomposition.compute(null, Runs.options(), new byte[0][], new byte[0], 1));
    assertNull(() -> new BlockRenderer(null));
    assertNull(() -> new NamedFile("a", null));
    try (Inventory inventory = new Inventory(Runs.options())) {
      assertNull(() -> inventory.add(0, null, 1, new byte[1]));
      assertNull(() -> inventory.add(0, "a", 1, null));
      assertNull(() -> Inventory.rows(null, false));
    }
    try (SliceDecoder decoder = new SliceDecoder(plan)) {
      assertNull(() -> decoder.decode(0, "a", null, new short[48], 0));
      assertNull(() -> decoder.decode(0, "a", CT.file(0), null, 0));
    }
    try (GramAccumulator gram = new GramAccumulator(3)) {
      assertNull(() -> gram.add(null, 1, 0));
      assertNull(() -> GramAccumulator.blockCheck(null, 1, 0));
      assertNull(() -> GramAccumulator.verifyBlock(null, 1, 0));
      assertNull(() -> GramAccumulator.sum(gram.part(0, 1), null));
    }
    try (Decomposition decomposition = Runs.decompose(CT, 1);
        BlockRenderer renderer = new BlockRenderer(decomposition)) {
      assertNull(() -> decomposition.finish(new byte[][] {null}, new byte[0][], new NamedFile[0], "{}"));
      assertNull(() -> decomposition.finish(new byte[0][], new byte[0][], new NamedFile[] {null}, "{}"));
      assertNull(() -> decomposition.finish(new byte[0][], new byte[0][], new NamedFile[0], null));
      assertNull(() -> renderer.render(0, null, 48, RECORDS, new int[0]));
      assertNull(() -> renderer.render(0, new short[48], 48, RECORDS, null));
      assertNull(() -> renderer.pictures(new byte[][] {null}));
      assertNull(() -> decomposition.finish(new byte[0][], new byte[][] {null}, new NamedFile[0], "{}"));
    }
    try (Decomposition decomposition = Runs.decompose(CT, 1);
        BlockRenderer renderer = new BlockRenderer(decomposition);
        DerivedSlices slices = new DerivedSlices(renderer, 0, 1)) {
      assertNull(() -> slices.add(null));
      assertNull(() -> slices.write(0, null, new byte[1]));
      assertNull(() -> slices.write(0, "a", null));
      assertIllegal(() -> new DerivedSlices(renderer, -1, 1));
      assertIllegal(() -> new DerivedSlices(renderer, 0, 0));
    }
    assertNull(() -> new PassDriver(null, Runs.options()));
    assertNull(() -> new PassDriver(plan, null));
    assertNull(() -> new BlockPass(null));
    assertNull(() -> new BlockPartials(null));
    try (PassDriver driver = new PassDriver(plan, Runs.options("--method", "tsqr"));
        BlockPass pass = new BlockPass(driver.pass().orElseThrow());
        BlockPartials found = new BlockPartials(pass)) {
      assertNull(() -> driver.add(null, 1));
      assertNull(() -> driver.add(new byte[][] {null}, 1));
      assertNull(() -> driver.finish(null));
      assertNull(() -> found.add(0, (short[]) null, 48));
    }
    assertNull(() -> new DerivedFile("a", null, new byte[0]));
    MatrixSource.Reader reader = (file, position, buffer, count) -> {};
    assertNull(() -> MatrixSource.open(null, new String[] {"a"}, new long[] {1}, reader));
    assertNull(() -> MatrixSource.open(Runs.options(), new String[] {null}, new long[] {1}, reader));
    assertNull(() -> MatrixSource.open(Runs.options(), new String[] {"a"}, new long[] {1}, null));
    assertIllegal(() -> MatrixSource.open(Runs.options(), new String[] {"a"}, new long[0], reader));
    assertNull(() -> MatrixSource.fromBytes(null));
    assertThrows(TomoBasisException.class, () -> MatrixSource.fromBytes(new byte[9]));
    assertNull(() -> MatrixSource.summary(0, 1, new double[][] {null}));
    assertNull(() -> MatrixNumbers.of(plan, new byte[][] {null}));
    assertThrows(TomoBasisException.class, () -> MatrixNumbers.of(plan, new byte[0][]));
    assertThrows(TomoBasisException.class, () -> MatrixNumbers.fromBytes(new byte[9]));
    assertNull(() -> new ColumnDigests(null, 1));
    assertNull(() -> new RealGramAccumulator(null));
  }

  @Test
  void numbers_and_lengths_out_of_range_are_refused() {
    String plan = Runs.plan(CT);
    assertIllegal(() -> new GramAccumulator(0));
    assertIllegal(() -> new GramAccumulator(-1));
    try (GramAccumulator gram = new GramAccumulator(3)) {
      assertIllegal(() -> gram.add(new short[6], 0, 0));
      assertIllegal(() -> gram.add(new short[7], 2, 0));
      assertIllegal(() -> GramAccumulator.blockCheck(new short[6], 0, 0));
      assertIllegal(() -> GramAccumulator.blockCheck(new short[6], 2, -1));
      assertIllegal(() -> GramAccumulator.verifyBlock(new short[6], 0, 0));
      assertIllegal(() -> gram.part(-1, 2));
      assertIllegal(() -> gram.part(2, 2));
      assertIllegal(() -> gram.add(new short[0], Integer.MAX_VALUE, 0));
    }
    try (Inventory inventory = new Inventory(Runs.options())) {
      assertIllegal(() -> inventory.add(-1, "a", 1, new byte[1]));
      assertIllegal(() -> inventory.add(0, "a", 0, new byte[1]));
    }
    try (SliceDecoder decoder = new SliceDecoder(plan)) {
      byte[] file = CT.file(0);
      assertIllegal(() -> decoder.decode(-1, "a", file, new short[48], 0));
      assertThrows(IndexOutOfBoundsException.class, () -> decoder.decode(0, "a", file, new short[48], 48));
      assertThrows(IndexOutOfBoundsException.class, () -> decoder.decode(0, "a", file, new short[48], -1));
      assertThrows(RuntimeException.class, () -> decoder.decode(0, "a", file, new short[48], 1));
      assertThrows(RuntimeException.class, () -> decoder.decode(3, "a", file, new short[48], 0));
    }
    assertIllegal(() -> Decomposition.compute(plan, Runs.options(), new byte[0][], new byte[0], 0));
    try (PassDriver driver = new PassDriver(plan, Runs.options("--method", "tsqr"));
        BlockPass pass = new BlockPass(driver.pass().orElseThrow());
        BlockPartials found = new BlockPartials(pass)) {
      assertIllegal(() -> driver.add(new byte[0][], 0));
      assertIllegal(() -> found.add(-1, new short[144], 48));
      assertIllegal(() -> found.add(0, new short[144], 0));
      assertIllegal(() -> found.add(0, new short[145], 48));
      assertThrows(TomoBasisException.class, () -> found.add(0, new short[96], 48));
      assertThrows(TomoBasisException.class, () -> found.add(1, new short[144], 48));
      found.add(0, new short[144], 48);
      byte[] partials = found.take();
      assertThrows(ComputationException.class, () -> driver.finish(RECORDS)); // the pass is not done
      assertIllegal(() -> driver.add(new byte[][] {partials}, 1)); // and cannot be resumed
    }
    try (Decomposition decomposition = Runs.decompose(CT, 1);
        BlockRenderer renderer = new BlockRenderer(decomposition)) {
      assertIllegal(() -> renderer.render(-1, new short[144], 48, RECORDS, new int[0]));
      assertIllegal(() -> renderer.render(0, new short[144], 0, RECORDS, new int[0]));
      assertIllegal(() -> renderer.render(0, new short[145], 48, RECORDS, new int[0]));
      assertThrows(TomoBasisException.class, () -> renderer.render(0, new short[96], 48, RECORDS, new int[0]));
      assertThrows(TomoBasisException.class, () -> renderer.render(1, new short[144], 48, RECORDS, new int[0]));
    }
  }

  @Test
  void a_closed_object_says_so_and_closing_again_does_nothing() {
    String plan = Runs.plan(CT);
    Inventory inventory = new Inventory(Runs.options());
    SliceDecoder decoder = new SliceDecoder(plan);
    GramAccumulator gram = new GramAccumulator(3);
    Decomposition decomposition = Runs.decompose(CT, 1);
    BlockRenderer renderer = new BlockRenderer(decomposition);
    PassDriver driver = new PassDriver(plan, Runs.options("--method", "tsqr"));
    BlockPass pass = new BlockPass(driver.pass().orElseThrow());
    BlockPartials found = new BlockPartials(pass);
    for (NativeObject object :
        new NativeObject[] {inventory, decoder, gram, renderer, decomposition, driver, pass, found}) {
      object.close();
      object.close();
    }
    assertClosed(() -> inventory.add(0, "a", 1, new byte[1]));
    assertClosed(inventory::select);
    assertClosed(() -> decoder.decode(0, "a", new byte[1], new short[48], 0));
    assertClosed(() -> gram.add(new short[3], 1, 0));
    assertClosed(() -> gram.part(0, 1));
    assertClosed(decomposition::toBytes);
    assertClosed(decomposition::notes);
    assertClosed(() -> renderer.render(0, new short[144], 48, RECORDS, new int[0]));
    assertClosed(() -> new BlockRenderer(decomposition));
    assertClosed(driver::pass);
    assertClosed(() -> driver.add(new byte[0][], 1));
    assertClosed(() -> new BlockPartials(pass));
    assertClosed(() -> found.add(0, new short[144], 48));
  }

  private static void assertNull(Executable call) {
    assertThrows(NullPointerException.class, call);
  }

  private static void assertIllegal(Executable call) {
    assertThrows(IllegalArgumentException.class, call);
  }

  private static void assertClosed(Executable call) {
    assertTrue(assertThrows(IllegalStateException.class, call).getMessage().endsWith("is closed"));
  }
}
