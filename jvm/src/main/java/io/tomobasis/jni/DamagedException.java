package io.tomobasis.jni;

/** Memory, a processor, a disk or the network has changed numbers. What they were made of is to be made again. */
public final class DamagedException extends TomoBasisException {
  private static final long serialVersionUID = 1L;

  /**
   * Made by the native code, and by tasks that say where they ran.
   *
   * @param message one line for the user
   */
  public DamagedException(String message) {
    super(message);
  }

  @Override
  public int exitCode() {
    return 1;
  }
}
