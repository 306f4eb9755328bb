package io.tomobasis.jni;

import java.util.Objects;

/**
 * The local file system. Java has no names for files whose names are not in its character set, and does not list them; here all are
 * listed and read, as the {@code tomobasis} command does.
 */
public final class LocalFiles {
  static {
    NativeLibrary.load();
  }

  private LocalFiles() {}

  /**
   * What is under a path, in the order of the input's files, folders aside. An archive stands for the files in it.
   *
   * @param path of a folder or a file
   * @return the files
   * @throws InputException when the path is not there or cannot be listed
   */
  public static LocalFile[] list(String path) {
    return list(path, true);
  }

  /**
   * What is under a path, in the order of the input's files, folders aside.
   *
   * @param path of a folder or a file
   * @param archives whether an archive stands for the files in it, else for itself
   * @return the files
   * @throws InputException when the path is not there or cannot be listed
   */
  public static LocalFile[] list(String path, boolean archives) {
    return list0(Objects.requireNonNull(path, "path"), archives);
  }

  /**
   * A part of a file.
   *
   * @param path as {@link #list} has it
   * @param start of the part
   * @param count of bytes wanted
   * @return {@code count} bytes, or fewer where the file ends before
   * @throws LocalFileException when it cannot be read
   */
  public static byte[] read(String path, long start, int count) throws LocalFileException {
    Objects.requireNonNull(path, "path");
    if (start < 0) {
      throw new IllegalArgumentException("start must not be negative: " + start);
    }
    return read0(path, start, NativeObject.requireNonNegative(count, "count"));
  }

  /**
   * A text from outside, such as a file's name, fit for a terminal.
   *
   * @param text any
   * @return the text with control characters shown as <code>\u005cu{1b}</code>
   */
  public static String printable(String text) {
    return printable0(Objects.requireNonNull(text, "text"));
  }

  private static native LocalFile[] list0(String path, boolean archives);

  private static native byte[] read0(String path, long start, int count) throws LocalFileException;

  private static native String printable0(String text);
}
