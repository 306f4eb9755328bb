/**
 * The Java side of the JNI border: what {@code libtomobasis_jni} offers (archives, the inventory of series, the decoder, kernels, the files of a
 * result), as plain classes without Spark or Scala.
 *
 * <p>The surface is small on purpose: create, add, combine, finish, close. No algorithm is visible in it. Three rules hold for
 * all classes:
 *
 * <ul>
 *   <li>Every class loads the shared library when it is first used; {@link io.tomobasis.jni.NativeLibrary} says where it looks.
 *   <li>Nulls, negative indices and wrong lengths are {@link java.lang.NullPointerException}, {@link
 *       java.lang.IndexOutOfBoundsException} and {@link java.lang.IllegalArgumentException}, a closed object is {@link
 *       java.lang.IllegalStateException}; whatever goes wrong in native code is a {@link
 *       io.tomobasis.jni.TomoBasisException} with the exit code that a program should end with.
 *   <li>Objects that hold native memory are {@link java.lang.AutoCloseable}; one that was forgotten is freed when it is collected.
 * </ul>
 *
 * <p>Which class may be shared between threads stands at each class; {@code docs/architecture.md} has the list.
 */
package io.tomobasis.jni;
