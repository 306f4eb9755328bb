package io.tomobasis.jni;

import java.util.Objects;

/**
 * {@code --status}: how far the results of {@code --series all} in a folder are.
 *
 * @param output the folder
 */
public record StatusRequest(String output) implements CommandLine {
  /** Checks that the folder is there. */
  public StatusRequest {
    Objects.requireNonNull(output, "output");
  }
}
