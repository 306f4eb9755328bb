"""Any integer matrix as a series of small images: for the arithmetic's tests, where a scan would not be hard enough."""

import numpy as np

from ct_image import Scan, Storage, ct_slice, write


def write_matrix(folder, stored, slopes=None, intercepts=None):
    """Writes `stored` (pixels x slices, within 16 bits signed) as a series; what is left of the square images is zero.

    `slopes` and `intercepts` are decimal strings, one per slice.
    """
    pixels, slices = stored.shape
    side = int(np.ceil(np.sqrt(pixels)))
    scan = Scan("MATRIX", slices, (1.0, 1.0, 1.0), Storage(intercept=0, signed=True, bits=16))
    folder.mkdir(parents=True, exist_ok=True)
    for j in range(slices):
        image = np.zeros(side * side)
        image[:pixels] = stored[:, j]
        d = ct_slice(scan, j, image.reshape(side, side))
        if slopes:
            d.RescaleSlope, d.RescaleIntercept = slopes[j], intercepts[j]
        write(d, folder / f"IM{j:04d}.dcm")


def unimodular(condition, n=12):
    """An n x n integer matrix of determinant 1 whose condition is `condition` within a factor of two.

    The product of a lower and an upper triangular matrix with ones on the diagonal and small integers beside it.
    """
    for seed in range(2000):
        random = np.random.default_rng(seed)
        size = random.integers(1, 6)
        lower, upper = (np.tril(random.integers(-size, size + 1, (n, n)), -1) + np.eye(n, dtype=int) for _ in "LU")
        matrix = lower @ upper.T
        if condition / 2 < np.linalg.cond(matrix.astype(float)) < condition * 2:
            return matrix
    raise ValueError(f"no {n} x {n} matrix of condition {condition:g} among these")


def close_pair(size):
    """Two columns whose Gram matrix is 4096 size^2 I + [[1, 1], [1, 2]]: ever closer singular values, the same vectors."""
    rows = [(size, size if i % 2 else -size) for i in range(4096)]
    return np.array([*rows, (1, 1), (0, 1)])
