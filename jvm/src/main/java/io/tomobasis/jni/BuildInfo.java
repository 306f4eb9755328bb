package io.tomobasis.jni;

import java.util.Objects;

/**
 * What the native library is, for logs.
 *
 * @param version of it
 * @param kernel the kernel for exact sums that was chosen for this machine
 * @param instructionSet of this machine, as far as kernels use it
 */
public record BuildInfo(String version, String kernel, String instructionSet) {
  /** Checks that no part is missing. */
  public BuildInfo {
    Objects.requireNonNull(version, "version");
    Objects.requireNonNull(kernel, "kernel");
    Objects.requireNonNull(instructionSet, "instructionSet");
  }
}
