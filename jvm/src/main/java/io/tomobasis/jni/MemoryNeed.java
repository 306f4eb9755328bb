package io.tomobasis.jni;

/** The native methods behind {@link Scratch}: a record can have none. */
final class MemoryNeed {
  static {
    NativeLibrary.load();
  }

  private MemoryNeed() {}

  static native long[] of0(String planJson, String optionsJson, int floatSums, int driverThreads);

  static native long[] assumed0(String optionsJson, int driverThreads);

  static native void checkDriver0(String planJson, String optionsJson, int driverThreads);

  static native long free0();
}
