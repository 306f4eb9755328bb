package io.tomobasis.jni;

/** An option, or a combination of options, that cannot be used. */
public final class UsageException extends TomoBasisException {
  private static final long serialVersionUID = 1L;

  /**
   * Made by the native code and by the readers around it.
   *
   * @param message one line for the user
   */
  public UsageException(String message) {
    super(message);
  }

  /**
   * The same, with what caused it.
   *
   * @param message one line for the user
   * @param cause shown with {@code --verbose} only
   */
  public UsageException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public int exitCode() {
    return 2;
  }
}
