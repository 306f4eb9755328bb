package io.tomobasis.jni;

/** Input that cannot be used: no DICOM, several series, a truncated file, a missing position. */
public class InputException extends TomoBasisException {
  private static final long serialVersionUID = 1L;

  /**
   * Made by the native code and by the readers around it.
   *
   * @param message one line for the user
   */
  public InputException(String message) {
    super(message);
  }

  /**
   * The same, with what caused it.
   *
   * @param message one line for the user
   * @param cause shown with {@code --verbose} only
   */
  public InputException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public int exitCode() {
    return 3;
  }
}
