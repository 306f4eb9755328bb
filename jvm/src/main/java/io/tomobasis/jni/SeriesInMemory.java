package io.tomobasis.jni;

import java.io.IOException;
import java.util.Objects;

/**
 * One series of {@code --series all}, from the bytes of its files to its result: the run in one process, as the {@code tomobasis} command
 * has it. One thread at a time may use it.
 */
public final class SeriesInMemory extends NativeObject {
  static {
    NativeLibrary.load();
  }

  /** Where the result goes. Called by the thread that calls {@link SeriesInMemory#run}. */
  public interface Place {
    /**
     * Called once, when it is known what the result would be of.
     *
     * @param fingerprint of the series, 64 hexadecimal digits
     * @return what the runner says of itself, a JSON object for the manifest's section {@code run}; null where the result is there already
     * @throws IOException of the file system
     */
    String begin(String fingerprint) throws IOException;

    /**
     * Writes a file of the result; the manifest comes last.
     *
     * @param path relative to the result folder
     * @param bytes content
     * @throws IOException of the file system
     */
    void write(String path, byte[] bytes) throws IOException;
  }

  /**
   * A series without its files.
   *
   * @param planJson of the {@link SeriesPlan}
   */
  public SeriesInMemory(String planJson) {
    super(create(Objects.requireNonNull(planJson, "planJson")), SeriesInMemory::free);
  }

  /**
   * Adds a file of the series, or of a copy of one of its slices. The bytes are copied.
   *
   * @param file position of the file in the listing, from 0
   * @param name as given to {@link Inventory#read}
   * @param bytes all of the file
   */
  public void add(int file, String name, byte[] bytes) {
    requireNonNegative(file, "file");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(bytes, "bytes");
    write(
        handle -> {
          add0(handle, file, name, bytes);
          return null;
        });
  }

  /**
   * Makes the result: decomposes the series, or denoises it, as the options say.
   *
   * @param optionsJson of the {@link JobOptions}
   * @param threads number of threads to use; the result does not depend on it
   * @param place where it goes
   * @return a JSON object of {@code fingerprint} and {@code made}: {@code root} (of a denoised series, the digest of its pixels), {@code
   *     left_out} and {@code seconds}, or null where the place wanted none
   * @throws TomoBasisException what is wrong with the series, or keeps its result from being made
   * @throws IOException of {@code place}
   */
  public String run(String optionsJson, int threads, Place place) throws IOException {
    Objects.requireNonNull(optionsJson, "optionsJson");
    Objects.requireNonNull(place, "place");
    requirePositive(threads, "threads");
    return read(handle -> run0(handle, optionsJson, threads, place));
  }

  private static native long create(String planJson);

  private static native void free(long handle);

  private static native void add0(long handle, int file, String name, byte[] bytes);

  private static native String run0(long handle, String optionsJson, int threads, Place place);
}
