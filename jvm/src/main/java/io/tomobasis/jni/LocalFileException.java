package io.tomobasis.jni;

import java.io.IOException;

/** A local file that cannot be read. The message is the reason alone, fit for any log: it has no path. */
public final class LocalFileException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * Called by native code.
   *
   * @param reason of the operating system
   */
  public LocalFileException(String reason) {
    super(reason);
  }
}
