package io.tomobasis.jni;

/** How an archive keeps a file. */
public enum Packing {
  /** As it is, in a tar. */
  TAR,
  /** As it is, in a zip, behind the entry's local header. */
  ZIP_STORED,
  /** Deflated, in a zip, behind the entry's local header. */
  ZIP_DEFLATED,
  /** As it is, in what a gzip stream expands to. */
  GZIP
}
