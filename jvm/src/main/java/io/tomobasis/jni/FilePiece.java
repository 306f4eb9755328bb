package io.tomobasis.jni;

/**
 * The first bytes of a file, and some later ones.
 *
 * @param head how many of the first
 * @param start offset of the first of the others
 * @param end offset behind the last of them
 */
public record FilePiece(long head, long start, long end) {}
