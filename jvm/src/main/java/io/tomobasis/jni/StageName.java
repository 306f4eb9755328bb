package io.tomobasis.jni;

import java.util.Objects;

/**
 * A stage of a run, as the user knows it.
 *
 * @param name of the stage
 * @param unit what it counts, in the plural
 */
public record StageName(String name, String unit) {
  /** Checks that neither part is missing. */
  public StageName {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(unit, "unit");
  }
}
