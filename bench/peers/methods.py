#!/usr/bin/env python3
"""One other way to decompose the matrix, timed once in a process of its own: `run.py` starts it.

    methods.py METHOD FILE ROWS COLUMNS RANK THREADS

FILE holds ROWS x COLUMNS int16, column after column. Every method gets the matrix in memory in the form that it likes best (float64,
for BLAS in Fortran order) before the clock starts. Prints one line of JSON: seconds, peak memory, and the singular values.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

OVERSAMPLES, POWER_ITERATIONS = 15, 2


def dsyrk(a, rank, threads):
    """The Gram matrix alone: one triangle by OpenBLAS."""
    from scipy.linalg import blas

    return lambda: blas.dsyrk(1.0, a, trans=1)


def eigh(a, rank, threads):
    """All eigenpairs of the rounded Gram matrix, which is there before the clock starts."""
    gram = a.T @ a
    return lambda: tuple(reversed(np.linalg.eigh(gram)))


def gram_eigh(a, rank, threads):
    """U, s, V from the rounded Gram matrix: fast, and half of the digits are lost where s is small."""

    def run():
        values, v = np.linalg.eigh(a.T @ a)
        s, v = np.sqrt(np.maximum(values[::-1][:rank], 0)), v[:, ::-1][:, :rank]
        return a @ v / s, s, v

    return run


def gesdd(a, rank, threads):
    """LAPACK's SVD, always of full rank."""
    return lambda: np.linalg.svd(a, full_matrices=False)


def sklearn_randomized(a, rank, threads):
    """scikit-learn's randomized SVD with the parameters of Mahout's paper."""
    from sklearn.utils.extmath import randomized_svd

    options = {"n_oversamples": OVERSAMPLES, "n_iter": POWER_ITERATIONS, "random_state": 1}
    return lambda: randomized_svd(a, rank, **options)


def dask_array(a, threads):
    import dask
    from dask import array

    dask.config.set(scheduler="threads", num_workers=threads)
    return array.from_array(np.ascontiguousarray(a), chunks=(1 << 15, a.shape[1]))


def dask_svd(a, rank, threads):
    """Dask's tall-and-skinny QR."""
    import dask
    from dask import array

    chunked = dask_array(a, threads)
    return lambda: dask.compute(*array.linalg.svd(chunked))


def dask_svd_compressed(a, rank, threads):
    """Dask's randomized SVD."""
    import dask
    from dask import array

    chunked = dask_array(a, threads)
    options = {"n_oversamples": OVERSAMPLES, "n_power_iter": POWER_ITERATIONS, "seed": 1}
    return lambda: dask.compute(*array.linalg.svd_compressed(chunked, rank, **options))


METHODS = {f.__name__: f for f in (dsyrk, eigh, gram_eigh, gesdd, sklearn_randomized, dask_svd, dask_svd_compressed)}


def main(method, file, rows, columns, rank, threads):
    rows, columns, rank, threads = int(rows), int(columns), int(rank), int(threads)
    a = np.fromfile(file, dtype="<i2").reshape(columns, rows).astype(np.float64).T
    run = METHODS[method](a, rank, threads)
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    seconds = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    status = Path("/proc/self/status").read_text().splitlines()
    seconds["peak_mb"] = int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024
    s = [] if method in ("dsyrk", "eigh") else [float(v) for v in result[1][:rank]]
    print(json.dumps({**seconds, "s": s}))


if __name__ == "__main__":
    main(*sys.argv[1:])
