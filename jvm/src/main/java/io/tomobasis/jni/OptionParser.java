package io.tomobasis.jni;

/** The one parser of options: the job and the {@code tomobasis} command accept and refuse the same. */
final class OptionParser {
  static {
    NativeLibrary.load();
  }

  private OptionParser() {}

  static native CommandLine parse(String[] args);
}
