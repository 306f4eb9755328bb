package io.tomobasis.jni;

/** Something failed while running; a panic of the native code ends up here too. */
public final class ComputationException extends TomoBasisException {
  private static final long serialVersionUID = 1L;

  /**
   * Made by the native code and by the readers around it.
   *
   * @param message one line for the user
   */
  public ComputationException(String message) {
    super(message);
  }

  /**
   * The same, with what caused it.
   *
   * @param message one line for the user
   * @param cause shown with {@code --verbose} only
   */
  public ComputationException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public int exitCode() {
    return 1;
  }
}
