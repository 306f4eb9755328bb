package io.tomobasis.jni;

/** The shared library could not be loaded on this machine; the message says which property to set. */
public final class NativeLibraryException extends TomoBasisException {
  private static final long serialVersionUID = 1L;

  NativeLibraryException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public int exitCode() {
    return 1;
  }
}
