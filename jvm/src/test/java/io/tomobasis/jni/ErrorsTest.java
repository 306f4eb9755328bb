package io.tomobasis.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Native errors arrive as the class and exit code that architecture.md gives them, in one line. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ErrorsTest {
  private static final SyntheticCt CT = new SyntheticCt(3, 8, 6, 1);

  @Test
  void a_wrong_option_is_a_usage_exception() {
    assertOneLine(UsageException.class, 2, "--rank", () -> Runs.options("--rank", "0"));
    assertOneLine(UsageException.class, 2, "--nonsense", () -> Runs.options("--nonsense"));
  }

  @Test
  void more_basis_vectors_than_slices_is_a_usage_exception() {
    String plan = Runs.plan(CT);
    short[] pixels = new short[CT.slices() * CT.pixels()];
    byte[] records = Runs.decode(CT, plan, pixels);
    String options = Runs.options("--rank", "4");
    assertOneLine(UsageException.class, 2, "--rank", () -> Decomposition.compute(plan, options, Runs.gram(CT, pixels), records, 1));
  }

  @Test
  void passes_without_all_blocks_or_with_a_block_twice_are_computation_exceptions() {
    String plan = Runs.plan(CT);
    String options = Runs.options("--method", "dssvd", "--rank", "2");
    try (PassDriver driver = new PassDriver(plan, options);
        BlockPass pass = new BlockPass(driver.pass().orElseThrow());
        BlockPartials found = new BlockPartials(pass)) {
      found.add(0, new short[CT.slices() * CT.pixels()], CT.pixels());
      byte[] once = found.take();
      assertOneLine(ComputationException.class, 1, "twice", () -> driver.add(new byte[][] {once, once}, 1));
    }
    try (PassDriver driver = new PassDriver(plan, options)) {
      assertOneLine(ComputationException.class, 1, "lacks blocks", () -> driver.add(new byte[0][], 1));
    }
    assertOneLine(ComputationException.class, 1, "gram", () -> new PassDriver(plan, Runs.options()));
  }

  @Test
  void a_series_in_which_nothing_is_left_is_an_input_exception() {
    String plan = Runs.plan(CT);
    String[][] methods = {{"--method", "tsqr"}, {"--method", "dspca", "--rank", "2"}};
    for (String[] method : methods) {
      try (PassDriver driver = new PassDriver(plan, Runs.options(method))) {
        while (driver.pass().isPresent()) {
          try (BlockPass pass = new BlockPass(driver.pass().get());
              BlockPartials found = new BlockPartials(pass)) {
            found.add(0, blank(), CT.pixels());
            driver.add(new byte[][] {found.take()}, 1);
          }
        }
        assertOneLine(InputException.class, 3, "--input", () -> driver.finish(new byte[SliceDecoder.RECORD_BYTES * CT.slices()]));
      }
    }
  }

  @Test
  void an_inventory_without_images_is_an_input_exception() {
    try (Inventory inventory = new Inventory(Runs.options())) {
      assertEquals(0, inventory.add(0, "notes.txt", 5, "notes".getBytes()));
      assertOneLine(InputException.class, 3, "", inventory::select);
    }
  }

  @Test
  void a_transfer_syntax_that_is_not_read_is_an_input_exception_that_names_it() {
    String video = "1.2.840.10008.1.2.4.100"; // MPEG2
    Executable scan =
        () -> {
          try (Inventory inventory = new Inventory(Runs.options())) {
            byte[] file = CT.file(0, video);
            inventory.add(0, "a", file.length, file);
            new SliceDecoder(inventory.select().json()).decode(0, "a", file, new short[CT.pixels()], 0);
          }
        };
    assertOneLine(InputException.class, 3, video, scan);
  }

  @Test
  void a_file_that_became_shorter_is_an_input_exception_without_its_name() {
    try (SliceDecoder decoder = new SliceDecoder(Runs.plan(CT))) {
      byte[] file = Arrays.copyOf(CT.file(1), CT.file(1).length - 10);
      String said =
          assertOneLine(InputException.class, 3, "file 2 of 3", () -> decoder.decode(1, "NOBODY", file, new short[48], 0));
      assertFalse(said.contains("NOBODY"), said);
    }
  }

  @Test
  void bytes_that_are_not_ours_are_computation_exceptions() {
    byte[] foreign = new byte[100];
    assertOneLine(ComputationException.class, 1, "", () -> Decomposition.fromBytes(foreign));
    try (GramAccumulator gram = new GramAccumulator(3)) {
      assertOneLine(DamagedException.class, 1, "sums of products", () -> GramAccumulator.sum(gram.part(0, 1), foreign));
    }
    assertOneLine(ComputationException.class, 1, "", () -> new BlockPass(foreign));
    try (PassDriver driver = new PassDriver(Runs.plan(CT), Runs.options("--method", "tsqr"))) {
      assertOneLine(ComputationException.class, 1, "", () -> driver.add(new byte[][] {foreign}, 1));
    }
  }

  @Test
  void a_file_label_counts_from_one_and_hides_the_name() {
    assertTrue(Inventory.fileLabel(16, 303, "DOE^JOHN.dcm").matches("file 17 of 303 \\(id [0-9a-f]{8}\\)"));
  }

  /** Slices of 0 HU. */
  private static short[] blank() {
    short[] values = new short[CT.slices() * CT.pixels()];
    Arrays.fill(values, (short) 1024);
    return values;
  }

  private static String assertOneLine(Class<? extends TomoBasisException> type, int code, String named, Executable call) {
    TomoBasisException e = assertThrows(type, call);
    assertEquals(code, e.exitCode());
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    assertTrue(e.getMessage().contains(named), e.getMessage());
    return e.getMessage();
  }
}
