package io.tomobasis.jni;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Local files are listed and read by paths in ASCII; what cannot be read is an error without a path. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class LocalFilesTest {
  @Test
  void files_are_listed_with_what_reads_them(@TempDir Path folder) throws IOException {
    Files.write(folder.resolve("a b%41"), new byte[] {1, 2, 3, 4});
    Files.createSymbolicLink(folder.resolve("link"), Path.of("nowhere"));
    LocalFile[] listed = LocalFiles.list(folder.toString());
    String path = folder + "/a%20b%2541";
    assertArrayEquals(
        new LocalFile[] {
          new LocalFile(path, "a b%41", 4, null, null), new LocalFile(folder + "/link", "link", -1, null, "\"link\"")
        },
        listed);
    assertArrayEquals(new byte[] {2, 3}, LocalFiles.read(path, 1, 2));
    assertArrayEquals(new byte[] {4}, LocalFiles.read(path, 3, 9));
  }

  @Test
  void what_cannot_be_read_is_said_without_its_path(@TempDir Path folder) {
    String path = folder + "/DOE";
    String said = assertThrows(LocalFileException.class, () -> LocalFiles.read(path, 0, 1)).getMessage();
    assertFalse(said.contains("DOE"), said);
    said = assertThrows(InputException.class, () -> LocalFiles.list(path)).getMessage();
    assertTrue(said.startsWith("--input") && !said.contains("DOE"), said);
  }

  @Test
  void a_failure_that_says_nothing_of_the_file_is_no_unreadable_file() {
    // The memory of this process at address 0: an input/output error.
    String said =
        assertThrows(ComputationException.class, () -> LocalFiles.read("/proc/self/mem", 0, 1)).getMessage();
    assertTrue(said.contains("check the disk") && !said.contains("/proc"), said);
  }

  @Test
  void control_characters_are_shown_and_not_sent() {
    assertEquals("a\\u{1b}[31m\\u{a}b", LocalFiles.printable("a\u001b[31m\nb"));
  }
}
