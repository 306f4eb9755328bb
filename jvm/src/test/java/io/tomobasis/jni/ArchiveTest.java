package io.tomobasis.jni;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

/** What is in an archive is found through Java's reading; errors of either side arrive as they are. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ArchiveTest {
  private static Archive.Source of(byte[] bytes) {
    return (position, buffer, count) -> {
      int some = Math.min(Math.min(count, 1000), bytes.length - (int) position);
      System.arraycopy(bytes, (int) position, buffer, 0, some);
      return some;
    };
  }

  private static byte[] zip(String... names) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (String name : names) {
        zip.putNextEntry(new ZipEntry(name));
        if (!name.endsWith("/")) {
          zip.write(name.repeat(10).getBytes());
        }
        zip.closeEntry();
      }
    }
    return bytes.toByteArray();
  }

  @Test
  void the_files_of_a_zip_are_listed_by_name_without_folders() throws IOException {
    byte[] archive = zip("b", "folder/", "a\u00e9");
    ArchiveEntry[] listed = Archive.entries(archive.length, of(archive)).orElseThrow();
    assertArrayEquals(new String[] {"a\u00e9", "b"}, Arrays.stream(listed).map(ArchiveEntry::name).toArray());
    CRC32 crc = new CRC32();
    crc.update("b".repeat(10).getBytes());
    ArchiveEntry b = listed[1];
    assertEquals(List.of(10L, Packing.ZIP_DEFLATED, 0L, crc.getValue()), List.of(b.length(), b.packing(), b.start(), b.crc()));
    assertEquals(0, b.pieces().length);
    assertNull(b.unread());
  }

  @Test
  void what_is_no_archive_has_no_list() throws IOException {
    for (int length : new int[] {0, 1, 265, 5000}) {
      assertEquals(Optional.empty(), Archive.entries(length, of(new byte[length])));
    }
  }

  @Test
  void an_error_of_the_file_system_arrives_as_it_is() throws IOException {
    byte[] archive = zip("a");
    IOException fault = new IOException("a fault");
    for (int good = 0; good < 3; good++) {
      int[] left = {good};
      Archive.Source failing =
          (position, buffer, count) -> {
            if (left[0]-- == 0) {
              throw fault;
            }
            return of(archive).read(position, buffer, count);
          };
      assertSame(fault, assertThrows(IOException.class, () -> Archive.entries(archive.length, failing)));
    }
  }

  @Test
  void a_damaged_archive_is_an_input_exception_in_one_line() throws IOException {
    byte[] archive = zip("a", "b");
    byte[] cut = Arrays.copyOf(archive, archive.length / 2);
    String said = assertThrows(InputException.class, () -> Archive.entries(cut.length, of(cut))).getMessage();
    assertTrue(said.startsWith("--input: the archive is damaged") && said.lines().count() == 1, said);
    assertTrue(Archive.damage(true).contains("end of file") && Archive.damage(false).contains("invalid data"));
  }

  @Test
  void deflated_bytes_become_the_file_and_its_checksum_is_compared() {
    byte[] file = "a file of some length".repeat(100).getBytes();
    CRC32 crc = new CRC32();
    crc.update(file);
    Deflater deflater = new Deflater(6, true);
    deflater.setInput(file);
    deflater.finish();
    byte[] room = new byte[file.length];
    byte[] deflated = Arrays.copyOf(room, deflater.deflate(room));
    deflater.end();
    assertArrayEquals(file, Archive.inflate(deflated, 0, file.length, crc.getValue()));
    assertArrayEquals(Arrays.copyOf(file, 9), Archive.inflate(deflated, 0, 9, -1));
    assertArrayEquals(Arrays.copyOfRange(file, 50, 60), Archive.inflate(deflated, 50, 10, -1));
    assertTrue(Archive.inflate(Arrays.copyOf(deflated, 9), 0, file.length, crc.getValue()).length < file.length);
    assertThrows(InputException.class, () -> Archive.inflate(deflated, 0, file.length, crc.getValue() ^ 1));
    assertSame(file, Archive.checked(file, crc.getValue()));
    assertThrows(InputException.class, () -> Archive.checked(file, crc.getValue() ^ 1));
  }
}
