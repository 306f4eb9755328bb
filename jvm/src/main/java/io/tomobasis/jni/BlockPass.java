package io.tomobasis.jni;

import java.util.Objects;

/**
 * What one pass of a {@link PassDriver} does with row blocks.
 *
 * <p>Immutable: any number of threads may share one.
 */
public final class BlockPass extends NativeObject {
  static {
    NativeLibrary.load();
  }

  /**
   * The pass that the driver is in.
   *
   * @param pass what {@link PassDriver#pass} returned
   */
  public BlockPass(byte[] pass) {
    super(create(Objects.requireNonNull(pass, "pass")), BlockPass::free);
  }

  private static native long create(byte[] pass);

  private static native void free(long handle);
}
