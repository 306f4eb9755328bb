"""The definition of a composite and of how it is stored, carried out by hand: fused multiply-adds by exact rational
arithmetic for single values, ordinary double precision for whole slices."""

import numpy as np

from .basis import fma


def chained_value(pixels, v, weights):
    """One value of the composite of rank K, in HU: `pixels` is one row of `A` (n, HU), `v` the first K columns of the
    weights (n x K), `weights` their row of the slice (K)."""
    value = 0.0
    for column, weight in zip(v.T, weights, strict=True):
        t = 0.0
        for a, entry in zip(pixels, column, strict=True):
            t = fma(float(a), float(entry), t)
        value = fma(t, float(weight), value)
    return value


def stored(values, slope, intercept, limits):
    """Values in HU as stored integers: ties to even, clipped to `limits`."""
    return np.clip(np.rint((np.asarray(values, np.float64) - intercept) / slope), *limits).astype(np.int64)


def slices(hu, v):
    """The whole composite (pixels x slices, HU) in double precision, to within its rounding errors."""
    a = hu.astype(np.float64)
    return (a @ v) @ v.T
