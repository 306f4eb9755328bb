#!/usr/bin/env python3
"""One decomposition, timed once in a process of its own: `svd.py` starts it.

    methods.py METHOD MATRIX.npy RANK THREADS

The matrix is in memory in the type of the file before the clock starts; what a library converts it to is its own business.
Prints one line of JSON: seconds elapsed and of CPU time, memory that the call needed beyond the matrix, singular values, SHA-256 of all factors.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np

OVERSAMPLES, POWER_ITERATIONS = 15, 2


def ours(a, rank, threads):
    import tomobasis

    return lambda: tomobasis.svd(a, threads=threads)


def ours_centered(a, rank, threads):
    """Not in the table: the singular values without the columns' means."""
    import tomobasis

    return lambda: tomobasis.svd(a, center="columns", threads=threads)


def numpy_svd(a, rank, threads):
    return lambda: np.linalg.svd(a, full_matrices=False)


def scipy_gesvd(a, rank, threads):
    from scipy import linalg

    return lambda: linalg.svd(a, full_matrices=False, lapack_driver="gesvd")


def of_pca(estimator, a):
    """Singular values and components of a fitted estimator."""

    def run():
        estimator.fit(a)
        return None, estimator.singular_values_, estimator.components_

    return run


def ours_pca(a, rank, threads):
    import tomobasis

    return of_pca(tomobasis.PCA(), a)


def sklearn_pca(a, **options):
    from sklearn.decomposition import PCA

    return of_pca(PCA(**options), a)


def pca_eigh(a, rank, threads):
    return sklearn_pca(a, svd_solver="covariance_eigh")


def pca_full(a, rank, threads):
    return sklearn_pca(a, svd_solver="full")


def ours_leading(a, rank, threads):
    import tomobasis

    return lambda: tomobasis.svd(a, rank, threads=threads)


def ours_randomized(a, rank, threads):
    import tomobasis

    return lambda: tomobasis.randomized_svd(a, rank, OVERSAMPLES, POWER_ITERATIONS, seed=1, threads=threads)


def pca_randomized(a, rank, threads):
    options = {"n_oversamples": OVERSAMPLES, "iterated_power": POWER_ITERATIONS, "random_state": 1}
    return sklearn_pca(a, n_components=rank, svd_solver="randomized", **options)


def dask_compressed(a, rank, threads):
    import dask
    from dask import array

    dask.config.set(scheduler="threads", num_workers=threads)
    chunked = array.from_array(a, chunks=(max(len(a) // 8, a.shape[1]), a.shape[1]))
    options = {"n_oversamples": OVERSAMPLES, "n_power_iter": POWER_ITERATIONS, "seed": 1}
    return lambda: dask.compute(*array.linalg.svd_compressed(chunked, rank, **options))


METHODS = (ours, ours_centered, numpy_svd, scipy_gesvd, ours_pca, pca_eigh, pca_full, ours_leading, ours_randomized,
           pca_randomized, dask_compressed)  # fmt: skip


def status(name):
    """A size from the kernel's account of this process, MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def timed(run):
    """What the record says of the cost, and what `run` returned."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = status("VmRSS")
    began, cpu = time.perf_counter(), time.process_time()
    result = run()
    cost = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    return {**cost, "memory_mb": status("VmHWM") - before}, result


def main(method, matrix, rank, threads):
    a = np.load(matrix)
    run = next(f for f in METHODS if f.__name__ == method)(a, int(rank), int(threads))
    cost, factors = timed(run)
    digest = hashlib.sha256()
    for factor in factors:
        if factor is not None:
            digest.update(np.ascontiguousarray(factor).data)
    s = [float(value) for value in factors[1]]
    print(json.dumps({**cost, "s": s, "digest": digest.hexdigest()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
