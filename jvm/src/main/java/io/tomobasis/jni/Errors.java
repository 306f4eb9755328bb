package io.tomobasis.jni;

import java.util.Objects;

/**
 * Errors that the caller of this library finds and whose words and exit codes are native code's, since the {@code tomobasis} command has
 * them too, or since they belong to the same rules. They are returned, to be thrown.
 */
public final class Errors {
  static {
    NativeLibrary.load();
  }

  /** What keeps a run from its input or output. */
  public enum Refusal {
    /** There is no input of this name. */
    INPUT_ABSENT,
    /** The output exists, and may not be overwritten. */
    OUTPUT_EXISTS,
    /** What is there is no result, so it is not overwritten. */
    OUTPUT_FOREIGN,
    /** What is there is an unfinished result, and may not be overwritten. */
    OUTPUT_UNFINISHED,
    /** Another run finished its result where this one was to be. */
    OUTPUT_OVERTAKEN,
    /** Another run took the output over. */
    OUTPUT_SUPERSEDED,
    /** What is there is no folder of results with an index. */
    OUTPUT_NO_ARCHIVE
  }

  /** What a file system failed at. */
  public enum Operation {
    /** Finding the file system of an input. */
    REACH_INPUT,
    /** Listing an input. */
    LIST_INPUT,
    /** Reading a file of an input. */
    READ_FILE,
    /** Finding the file system of the output. */
    REACH_OUTPUT,
    /** Looking at what is there. */
    LOOK_AT_OUTPUT,
    /** Making the result's folder. */
    MAKE_OUTPUT,
    /** Writing a file of the result. */
    WRITE_FILE
  }

  private Errors() {}

  /**
   * The error for an input or output that is refused.
   *
   * @param refusal why
   * @return the error
   */
  public static TomoBasisException of(Refusal refusal) {
    return of(refusal, ResultKind.RESULT);
  }

  /**
   * The error for an output that is refused.
   *
   * @param refusal why
   * @param kind of the folder to be written
   * @return the error
   */
  public static TomoBasisException of(Refusal refusal, ResultKind kind) {
    return thrown(() -> refuse0(refusal.name(), kind.name()));
  }

  /**
   * The error for a result that is not overwritten because of what is in its folder besides.
   *
   * @param kind of the folder
   * @param others how many files and folders are
   * @return the error
   */
  public static TomoBasisException outputHoldsOthers(ResultKind kind, int others) {
    return thrown(() -> refuseOthers0(kind.name(), NativeObject.requirePositive(others, "others")));
  }

  /**
   * The error for an operation of a Hadoop file system that failed. One that the system failed at, such as a full disk, has exit code 1.
   *
   * @param operation what failed
   * @param subject the option, the label of the input's file or the path in the result folder that it was done for
   * @param fault why
   * @param other the caller's words for {@link Fault#OTHER}
   * @param cause shown with {@code --verbose} only; may be null
   * @return the error
   */
  public static TomoBasisException of(Operation operation, String subject, Fault fault, String other, Throwable cause) {
    Objects.requireNonNull(subject, "subject");
    Objects.requireNonNull(other, "other");
    TomoBasisException error = thrown(() -> fail0(operation.name(), subject, fault.name(), other));
    error.initCause(cause);
    return error;
  }

  private static TomoBasisException thrown(Runnable raise) {
    try {
      raise.run();
    } catch (TomoBasisException e) {
      return e;
    }
    throw new IllegalStateException("native code threw nothing");
  }

  private static native void refuse0(String refusal, String kind);

  private static native void refuseOthers0(String kind, int others);

  private static native void fail0(String operation, String subject, String fault, String other);
}
