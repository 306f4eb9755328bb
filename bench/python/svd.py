#!/usr/bin/env python3
"""`tomobasis.svd` and `tomobasis.PCA` against NumPy, SciPy, scikit-learn and Dask: time, memory, right digits, same bits.

    bench/python/svd.py                       writes build/bench/python-svd.json (make bench-python)
    bench/python/svd.py --shapes 1000x50 --repeat 1       a try-out

Every measurement is a process of its own on the same file, with as many threads as there are cores, and the methods take
turns. Digits are those of the worst singular value, compared with the certified ones. For the bits, each method also runs with
one thread less (one more, on a single core), and with the code of OpenBLAS for another CPU.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "bench")]

from matrices import SHAPES, TYPES, make  # noqa: E402
from records import heading, markdown, measured, show  # noqa: E402

RANK = 20
METHODS = {
    "ours": "tomobasis.svd",
    "numpy_svd": "numpy.linalg.svd",
    "scipy_gesvd": "scipy.linalg.svd, gesvd",
    "ours_pca": "tomobasis.PCA",
    "pca_eigh": "PCA, covariance_eigh",
    "pca_full": "PCA, full",
    "ours_leading": "tomobasis.svd, k = 20",
    "ours_randomized": "tomobasis.randomized_svd, k = 20",
    "pca_randomized": "PCA, randomized, k = 20",
    "dask_compressed": "dask svd_compressed, k = 20",
}
CENTERED = {"ours_pca", "pca_eigh", "pca_full", "pca_randomized"}
# What a float64 distinguishes; more digits are not counted.
MOST = 53 * math.log10(2)


def measure(method, matrix, threads, **environment):
    program = Path(__file__).with_name("methods.py")
    limits = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), str(threads))
    command = [sys.executable, program, method, matrix, str(RANK), str(threads)]
    done = subprocess.run(command, env={**os.environ, **limits, **environment}, capture_output=True, text=True)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1]}
    return json.loads(done.stdout)


def other_core():
    """A CPU for which OpenBLAS has other code than it uses here; None where there is no OpenBLAS for x86-64."""
    here = next((lib["architecture"] for lib in threadpool_info() if lib["internal_api"] == "openblas"), None)
    if here is None or os.uname().machine != "x86_64":
        return None
    return "Sandybridge" if here == "Haswell" else "Haswell"


def right_digits(s, exact):
    """Decimal digits of the worst singular value."""
    errors = [abs(a - b) / b for a, b in zip(s, exact, strict=False)]
    return max(0.0, min(-math.log10(worst), MOST)) if (worst := max(errors)) else MOST


def compare(dtype, shape, threads, repeat, scratch):
    """All methods on one matrix: a list of what the record says of each."""
    matrix = Path(scratch) / f"{dtype}-{shape[0]}x{shape[1]}.npy"
    np.save(matrix, make(dtype, *shape))
    runs = {method: [] for method in METHODS}
    others = {method: {} for method in METHODS}
    for turn in range(repeat):
        for method in METHODS:
            print(f"{turn + 1}/{repeat} {dtype} {shape[0]} x {shape[1]}: {method}", file=sys.stderr, flush=True)
            runs[method].append(measure(method, matrix, threads))
    exact = runs["ours"][0]["s"]
    centered = measure("ours_centered", matrix, threads)["s"] if dtype == "uint8" else exact
    core = other_core()
    for method in METHODS:
        others[method]["threads"] = measure(method, matrix, threads - 1 or 2)
        if core:
            others[method]["blas"] = measure(method, matrix, threads, OPENBLAS_CORETYPE=core)
    matrix.unlink()
    return [
        entry(method, dtype, shape, runs[method], others[method], centered if method in CENTERED else exact)
        for method in METHODS
    ]


def entry(method, dtype, shape, runs, others, exact):
    about = {"method": METHODS[method], "dtype": dtype, "rows": shape[0], "columns": shape[1]}
    if errors := [run["error"] for run in (*runs, *others.values()) if "error" in run]:
        return {**about, "error": errors[0]}
    seconds, cpu = (sorted(run[name] for run in runs) for name in ("seconds", "cpu"))
    bits = {"run": len({run["digest"] for run in runs}) == 1 if len(runs) > 1 else None}
    bits |= {name: run["digest"] == runs[0]["digest"] for name, run in others.items()}
    return {
        **about,
        "seconds": seconds[len(seconds) // 2],
        "spread": [seconds[0], seconds[-1]],
        "cpu": cpu[len(cpu) // 2],
        "memory_mb": float(np.median([run["memory_mb"] for run in runs])),
        "digits": right_digits(runs[0]["s"], exact),
        "same_bits": bits,
    }


def of(results, **wanted):
    return [r for r in results if all(r[key] == value for key, value in wanted.items())]


def costs(results, shape, time):
    """Seconds, elapsed or of CPU time, and memory at one shape, a method in each row."""
    head = [
        "method",
        *(f"{dtype}, {'s' if time == 'seconds' else 'CPU s'}" for dtype in TYPES),
        *(f"{dtype}, MB" for dtype in ("int16", "float64")),
    ]
    rows = []
    for name in METHODS.values():
        by = {r["dtype"]: r for r in of(results, method=name, rows=shape[0], columns=shape[1])}
        cells = [f"{by[t][time]:.3f}" if time in by[t] else "failed" for t in TYPES]
        cells += [f"{by[t]['memory_mb']:.0f}" if "memory_mb" in by[t] else "" for t in ("int16", "float64")]
        rows.append([name, *cells])
    return markdown(head, rows)


def trust(results):
    """Right digits at the worst shape, and for how many matrices the bits were the same."""
    head = ["method", *(f"digits, {dtype}" for dtype in TYPES), "second run", "other threads", "other kernels"]
    rows = []
    for name in METHODS.values():
        mine = of(results, method=name)
        digits = [min((r["digits"] for r in of(mine, dtype=t) if "digits" in r), default=None) for t in TYPES]
        bits = []
        for way in ("run", "threads", "blas"):
            answers = [r["same_bits"][way] for r in mine if r.get("same_bits", {}).get(way) is not None]
            bits.append(f"{sum(answers)} of {len(answers)}" if answers else "not run")
        rows.append([name, *("" if d is None else f"{d:.1f}" for d in digits), *bits])
    return markdown(head, rows)


def shape_of(text):
    rows, _, columns = text.partition("x")
    return int(rows), int(columns)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--shapes", type=shape_of, nargs="+", default=SHAPES, metavar="ROWSxCOLUMNS")
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--cpu", action="store_true", help="the table has CPU time: for a machine that does other work")
    p.add_argument("--json", type=Path, default=ROOT / "build/bench/python-svd.json")
    o = p.parse_args()
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)
    threads = os.cpu_count()
    about = measured(o.repeat, threads=threads, other_kernels=other_core())
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        for shape in o.shapes:
            for dtype in TYPES:
                results += compare(dtype, shape, threads, o.repeat, scratch)
    parts = [heading(about, f"other kernels: {about['other_kernels'] or 'none'}")]
    parts += [
        f"{rows} x {columns}:\n\n{costs(results, (rows, columns), 'cpu' if o.cpu else 'seconds')}"
        for rows, columns in o.shapes
    ]
    parts += [f"All shapes:\n\n{trust(results)}"]
    parts += [f"{r['method']}, {r['dtype']}: {r['error']}" for r in results if "error" in r]
    show("\n\n".join(parts), {**about, "results": results}, o.json)


if __name__ == "__main__":
    main()
