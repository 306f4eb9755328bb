package io.tomobasis.jni;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongConsumer;
import java.util.function.LongFunction;

/**
 * Owner of one object of the native side.
 *
 * <p>Calls hold a lock for as long as native code runs, so {@link #close} waits for the calls under way instead of pulling the
 * memory from under them: shared by the calls of immutable objects, exclusive for those that change the object. An owner that
 * was never closed is freed by a {@link Cleaner} after it is collected.
 */
abstract class NativeObject implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();

  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private final Cleaner.Cleanable cleanable;
  private long handle;

  NativeObject(long handle, LongConsumer free) {
    this.handle = handle;
    this.cleanable = CLEANER.register(this, () -> free.accept(handle));
  }

  /** Runs a call that only reads the native object: any number at a time. */
  final <T> T read(LongFunction<T> call) {
    return locked(lock.readLock(), call);
  }

  /** Runs a call that changes the native object: one at a time. */
  final <T> T write(LongFunction<T> call) {
    return locked(lock.writeLock(), call);
  }

  private <T> T locked(Lock held, LongFunction<T> call) {
    held.lock();
    try {
      if (handle == 0) {
        throw new IllegalStateException(getClass().getSimpleName() + " is closed");
      }
      return call.apply(handle);
    } finally {
      held.unlock();
      Reference.reachabilityFence(this);
    }
  }

  /** Frees the native object, after the calls under way; closing again does nothing. */
  @Override
  public final void close() {
    lock.writeLock().lock();
    try {
      if (handle != 0) {
        handle = 0;
        cleanable.clean();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  static int requireNonNegative(int value, String name) {
    if (value < 0) {
      throw new IllegalArgumentException(name + " must not be negative: " + value);
    }
    return value;
  }

  static int requirePositive(int value, String name) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + " must be positive: " + value);
    }
    return value;
  }
}
