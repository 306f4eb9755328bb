package io.tomobasis.jni;

import java.util.Objects;

/**
 * A series, as far as the caller moves it around.
 *
 * @param rows of a slice
 * @param columns of a slice
 * @param slices where they are, in spatial order
 * @param description the series in one line, for the user; empty where nobody is told of it
 * @param notes what was left out of it and what is unusual about it, for the user
 * @param comparison what has to be decoded to tell whether copies are copies: each slice, and its copy after it; null where there are none
 * @param json the whole plan, for {@link SliceDecoder}, {@link Decomposition#compute} and {@link PassDriver}
 */
public record SeriesPlan(
    int rows, int columns, SlicePlace[] slices, String description, String[] notes, SeriesPlan comparison, String json) {
  /** Checks that no part is missing but the comparison. */
  public SeriesPlan {
    Decomposition.requireElements(slices, "slices");
    Objects.requireNonNull(description, "description");
    Decomposition.requireElements(notes, "notes");
    Objects.requireNonNull(json, "json");
  }
}
