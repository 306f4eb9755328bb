package io.tomobasis.jni;

/**
 * What went wrong, in one line for the user, and the exit code of a program that ends with it.
 *
 * <p>The message names the file or option and says what to do; it holds no patient data and no path. Instances hold nothing
 * but strings and numbers, so that they survive Java serialization from an executor to the driver.
 */
public abstract class TomoBasisException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  TomoBasisException(String message) {
    super(message);
  }

  TomoBasisException(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * The exit code of a program that ends with this.
   *
   * @return 1 (failed while running), 2 (bad usage or options) or 3 (bad input)
   */
  public abstract int exitCode();
}
