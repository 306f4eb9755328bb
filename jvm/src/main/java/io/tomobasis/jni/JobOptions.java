package io.tomobasis.jni;

/** The one parser of options: the job and the {@code tomobasis} command accept and refuse the same. Any thread may call it. */
public final class JobOptions {
  static {
    NativeLibrary.load();
  }

  private JobOptions() {}

  /**
   * Parses the job's options.
   *
   * @param args the options as given on the command line
   * @return the resolved options as JSON, or {@code {"help": text}} when help or the version was asked for
   * @throws UsageException when an option is unknown, missing, or has a value that cannot be used
   */
  public static native String parse(String[] args);
}
