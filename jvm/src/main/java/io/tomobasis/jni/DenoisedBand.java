package io.tomobasis.jni;

import java.util.Objects;

/**
 * What a step of denoising makes of a band.
 *
 * @param values the band's own rows denoised, as stored values: slices x rows x columns; null where the step only counts; not copied
 * @param found what it has found, for {@link DenoiseDriver#add}; not copied
 */
public record DenoisedBand(short[] values, byte[] found) {
  /** Checks that what was found is there. */
  public DenoisedBand {
    Objects.requireNonNull(found, "found");
  }
}
