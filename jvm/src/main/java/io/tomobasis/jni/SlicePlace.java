package io.tomobasis.jni;

/**
 * Where a slice is.
 *
 * @param file position of its file in the listing, from 0
 * @param frame in that file, from 0
 * @param piece the part of a large file that is enough for it; null: all of it
 */
public record SlicePlace(int file, int frame, FilePiece piece) {}
