package io.tomobasis.jni;

import java.util.Objects;

/**
 * The options of a run, as far as the job itself needs them.
 *
 * @param inputs folders and files to read, in the order given
 * @param output result folder
 * @param overwrite whether an existing result folder is replaced
 * @param skipsBadSlices whether slices that cannot be used are left out
 * @param verbose whether paths are shown
 * @param emitsDicom whether derived DICOM is written
 * @param exact whether the method is the exact one; the others have passes
 * @param matrix whether the input is a matrix that is no scan
 * @param allSeries whether every series is decomposed by itself
 * @param failFast whether the first of them that fails ends the run
 * @param denoises whether the series is denoised instead of decomposed
 * @param stages of the run, in their order; the last one is that of derived DICOM
 * @param json all options, for {@link Inventory}, {@link Decomposition#compute}, {@link PassDriver} and {@link DenoiseDriver}
 */
public record JobOptions(
    String[] inputs,
    String output,
    boolean overwrite,
    boolean skipsBadSlices,
    boolean verbose,
    boolean emitsDicom,
    boolean exact,
    boolean matrix,
    boolean allSeries,
    boolean failFast,
    boolean denoises,
    StageName[] stages,
    String json)
    implements CommandLine {
  /** Checks that no part is missing. */
  public JobOptions {
    Decomposition.requireElements(inputs, "inputs");
    Objects.requireNonNull(output, "output");
    Decomposition.requireElements(stages, "stages");
    Objects.requireNonNull(json, "json");
  }
}
