package io.tomobasis.jni;

import java.util.Objects;

/**
 * The text of {@code --help} or {@code --version}, to be printed.
 *
 * @param text lines
 */
public record HelpText(String text) implements CommandLine {
  /** Checks that it is there. */
  public HelpText {
    Objects.requireNonNull(text, "text");
  }
}
