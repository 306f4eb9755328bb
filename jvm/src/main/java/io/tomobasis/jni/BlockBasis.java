package io.tomobasis.jni;

import java.util.Objects;

/**
 * The basis vectors of one row block, as numbers.
 *
 * @param values rows x k, row by row
 * @param record what the root digest needs to know of them, for {@link Decomposition#root}
 */
public record BlockBasis(double[] values, byte[] record) {
  /** Checks that no part is missing. */
  public BlockBasis {
    Objects.requireNonNull(values, "values");
    Objects.requireNonNull(record, "record");
  }
}
