package io.tomobasis.jni;

/** What a command line of the job asks for. */
public sealed interface CommandLine permits HelpText, StatusRequest, JobOptions {
  /**
   * Parses a command line.
   *
   * @param args the options as given
   * @return the resolved options, or the text when help or the version was asked for
   * @throws UsageException when an option is unknown, missing, or has a value that cannot be used
   */
  static CommandLine parse(String[] args) {
    return OptionParser.parse(args);
  }
}
