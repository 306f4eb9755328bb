package io.tomobasis.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class NativeLibraryTest {
  /** Loads twice in a JVM of its own, and prints what came of it. */
  static final class Loader {
    public static void main(String[] args) {
      for (int attempt = 0; attempt < 2; attempt++) {
        try {
          NativeLibrary.load();
          System.out.println("loaded");
        } catch (NativeLibraryException e) {
          System.out.println(e.exitCode() + " " + e.getMessage());
        }
      }
    }
  }

  /** What maps the loader of musl is taken for a Java that runs on it. */
  static final class OnMusl {
    public static void main(String[] args) throws IOException {
      try (FileChannel file = FileChannel.open(Path.of(args[0]))) {
        MappedByteBuffer mapped = file.map(FileChannel.MapMode.READ_ONLY, 0, file.size());
        Loader.main(args);
        System.out.println(mapped.get(0));
      }
    }
  }

  @Test
  void musl_is_refused_in_one_line_before_anything_is_loaded(@TempDir Path folder) throws Exception {
    Path loader = Files.writeString(folder.resolve("ld-musl-x86_64.so.1"), "7");
    // A folder that cannot be used for temporary files: nothing is unpacked.
    List<String> said = run(OnMusl.class, List.of(loader.toString()), "-Djava.io.tmpdir=" + folder.resolve("missing"));
    assertEquals(List.of(said.get(0), said.get(0), "55"), said);
    assertTrue(said.get(0).startsWith("1 ") && said.get(0).contains("musl") && said.get(0).contains("glibc"), said::toString);
  }

  @Test
  void build_info_names_the_version_and_the_kernel() {
    NativeLibrary.load();
    BuildInfo info = NativeLibrary.buildInfo();
    assertTrue(info.version().matches("\\d+\\.\\d+\\.\\d+.*") && !info.kernel().isEmpty(), info.toString());
  }

  @Test
  void the_bundled_library_loads_in_a_fresh_virtual_machine() throws Exception {
    assertEquals(List.of("loaded", "loaded"), load());
  }

  @Test
  void a_property_that_names_no_library_is_one_clear_error_each_time(@TempDir Path folder) throws Exception {
    Path broken = Files.writeString(folder.resolve("libbroken.so"), "this is no library");
    List<String> said = load("-Dtomobasis.native.path=" + broken);
    assertEquals(2, said.size(), said::toString);
    assertEquals(said.get(0), said.get(1));
    assertTrue(said.get(0).startsWith("1 ") && said.get(0).contains("-Dtomobasis.native.path"), said::toString);
  }

  @Test
  void a_property_wins_over_the_bundled_library_even_when_it_is_wrong() throws Exception {
    assertTrue(load("-Dtomobasis.native.path=relative/nowhere.so").get(0).startsWith("1 "));
  }

  @Test
  void a_folder_for_temporary_files_that_cannot_be_written_is_named_by_its_property(@TempDir Path folder) throws Exception {
    List<String> said = load("-Djava.io.tmpdir=" + folder.resolve("missing"));
    assertTrue(said.get(0).contains("java.io.tmpdir") && said.get(0).contains("-Dtomobasis.native.path"), said::toString);
  }

  @Test
  void a_folder_mounted_noexec_is_told_apart() throws Exception {
    Path mounted = writableNoexecMount();
    Assumptions.assumeTrue(mounted != null, "this machine mounts no writable folder noexec");
    assertTrue(load("-Djava.io.tmpdir=" + mounted).get(0).contains("noexec"));
  }

  @Test
  void nothing_is_left_in_the_folder_for_temporary_files(@TempDir Path folder) throws Exception {
    assertEquals("loaded", load("-Djava.io.tmpdir=" + folder).get(0));
    try (var left = Files.list(folder)) {
      assertEquals(List.of(), left.filter(file -> file.getFileName().toString().contains("tomobasis")).toList());
    }
  }

  private static List<String> load(String... jvmArgs) throws IOException, InterruptedException {
    return run(Loader.class, List.of(), jvmArgs);
  }

  private static List<String> run(Class<?> main, List<String> arguments, String... jvmArgs) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(jvmArgs));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(arguments);
    Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String out = new String(process.getInputStream().readAllBytes());
    assertEquals(0, process.waitFor(), out);
    return out.lines().toList();
  }

  private static Path writableNoexecMount() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/mounts"))) {
      String[] fields = line.split(" ");
      boolean candidate = fields[2].equals("tmpfs") && List.of(fields[3].split(",")).containsAll(List.of("rw", "noexec"));
      if (candidate && Files.isWritable(Path.of(fields[1]))) {
        return Path.of(fields[1]);
      }
    }
    return null;
  }
}
