"""The matrices of `svd.py`: the same smooth matrix with decaying singular values in each type, at three shapes."""

import numpy as np

TYPES = ("int16", "uint8", "float32", "float64")
# Rows x columns: many pixels and few slices, a small scan, and only five times as many rows as columns (half of them without signs).
SHAPES = ((65536, 64), (16384, 200), (1000, 200))
SMALLEST = 1e-8  # singular value, relative to the largest, before the entries are rounded to the type


def make(dtype, rows, columns):
    """A matrix whose singular values fall geometrically, until the rounding of the type puts an end to that.

    Every second row is the one before it with the other sign (255 less it, for uint8). So the mean of each column is exact
    in float64, and PCA, which removes it, has an exact answer too.
    """
    random = np.random.default_rng(1)
    left, _ = np.linalg.qr(random.standard_normal((rows // 2, min(rows // 2, columns))))
    right, _ = np.linalg.qr(random.standard_normal((columns, left.shape[1])))
    half = (left * np.geomspace(1, SMALLEST, left.shape[1])) @ right.T
    half /= np.abs(half).max()
    if dtype == "uint8":
        half = np.rint(127.5 + 127.5 * half)
        other = 255 - half
    else:
        half = np.rint(half * 32000) if dtype == "int16" else half * 1000
        other = -half
    return np.stack([half, other], axis=1).reshape(-1, columns).astype(dtype)
