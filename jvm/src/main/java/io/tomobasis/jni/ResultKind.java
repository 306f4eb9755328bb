package io.tomobasis.jni;

/** What a folder that the job writes is. */
public enum ResultKind {
  /** A decomposition. */
  RESULT,
  /** A denoised series. */
  DENOISED
}
