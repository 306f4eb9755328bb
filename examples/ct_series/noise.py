"""Noise as a CT reconstruction makes it: correlated, stronger where the rays cross more tissue, and the same bits
everywhere.

Filtered back projection turns the independent quantum noise of the detector into noise whose power spectrum rises from
zero at the origin (the ramp) and falls again (the kernel's roll-off): Riederer, Pelc and Chesler (1978). Here white
noise is filtered by the difference of a narrow and a wide binomial kernel, which has that shape. Its variance at a
pixel grows with the exponential of the attenuation along the rays through it; two of them, along the row and along the
column, stand for all.

White noise is integers cut from the raw stream of PCG64 (which NumPy keeps stable, as it does not its distributions),
the filters are integer sums: no step depends on a library's version or on the instruction set.
"""

import numpy as np

WATER_PER_MM = 0.0195  # linear attenuation of water at the mean energy of a 120 kV beam
BLUR_PASSES = 6  # binomial passes from the narrow to the wide kernel


def white(seed, index, rows, columns):
    """Sums of four random bytes less their mean: nearly normal, standard deviation 147.8."""
    stream = np.random.PCG64(np.random.SeedSequence([seed, index]))
    words = stream.random_raw((rows * columns + 1) // 2).astype("<u8")
    pieces = words.view(np.uint8).reshape(-1, 4)[: rows * columns].astype(np.int32)
    return pieces.sum(axis=1, dtype=np.int32).reshape(rows, columns) - 510


def smooth(field):
    """One binomial pass [1 2 1]/4 along both axes, wrapping round; exact: the result is 16 times the mean."""
    field = np.roll(field, 1, 0) + 2 * field + np.roll(field, -1, 0)
    return np.roll(field, 1, 1) + 2 * field + np.roll(field, -1, 1)


def band_limited(seed, index, rows, columns):
    """Zero-mean noise of about unit variance, float64, with no power at frequency zero."""
    narrow = smooth(white(seed, index, rows, columns))
    wide = narrow
    for _ in range(BLUR_PASSES):
        wide = (smooth(wide) + 8) >> 4
    difference = (narrow - wide).astype(np.float64)
    return difference / np.sqrt(np.mean(difference * difference)) if difference.any() else difference


def deviation(hu, spacing_mm, center):
    """Standard deviation of the noise at every pixel (HU), scaled so that 200 mm of water give `center`.

    `hu` is rows x columns; `spacing_mm` (between rows, between columns).
    """
    attenuation = WATER_PER_MM * np.clip(1 + hu / 1000.0, 0, 3.5)
    along_rows = np.exp(attenuation.sum(axis=1) * spacing_mm[1])
    along_columns = np.exp(attenuation.sum(axis=0) * spacing_mm[0])
    variance = (along_rows[:, None] + along_columns[None, :]) / (2 * np.exp(WATER_PER_MM * 200))
    return center * np.sqrt(variance)


def ct_noise(hu, spacing_mm, seed, index, center=9.0):
    """The noise (HU, float64) of slice `index`: add it to `hu` and round."""
    rows, columns = hu.shape
    return band_limited(seed, index, rows, columns) * deviation(hu, spacing_mm, center)
