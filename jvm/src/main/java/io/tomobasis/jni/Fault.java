package io.tomobasis.jni;

import java.util.Objects;

/**
 * Why an operation of a Hadoop file system failed, as far as its exception tells. The caller recognizes the exception; the words are
 * native code's.
 */
public enum Fault {
  /** No space is left on a disk. */
  DISK_FULL,
  /** The user's share of it is used up. */
  QUOTA_EXCEEDED,
  /** The process or the machine opens no more files. */
  TOO_MANY_OPEN_FILES,
  /** The user may not do this. */
  PERMISSION_DENIED,
  /** A file has the name of a folder. */
  FILE_IN_THE_WAY,
  /** There is no such file. */
  NOT_FOUND,
  /** A file ends before its length. */
  TRUNCATED,
  /** The object store does not know the access key. */
  UNKNOWN_ACCESS_KEY,
  /** The secret key is that of another access key. */
  WRONG_SECRET_KEY,
  /** Keys are past their time. */
  EXPIRED_KEYS,
  /** There are no keys. */
  NO_KEYS,
  /** The keys may not do this. */
  KEYS_WITHOUT_PERMISSION,
  /** There is no such bucket. */
  NO_SUCH_BUCKET,
  /** The object store refuses requests for now. */
  OVERLOADED,
  /** No host of this name, or none that answers. */
  UNREACHABLE,
  /** Anything else. */
  OTHER;

  static {
    NativeLibrary.load();
  }

  /**
   * In words.
   *
   * @param other the caller's, for {@link #OTHER}
   * @return a few words, without a path
   */
  public String words(String other) {
    return words0(name(), Objects.requireNonNull(other, "other"));
  }

  private static native String words0(String fault, String other);
}
