#!/usr/bin/env python3
"""Measures our kernels against other ways to decompose the same matrix, on this machine in one run.

    bench/peers/run.py                     the demo's matrix, 262144 x 301; writes build/bench/peers.json (make bench-peers)
    bench/peers/run.py --size 64 --slices 40 --repeat 1 --scale small      a try-out

Every measurement is a process of its own, with the matrix in memory before its clock starts. The methods take turns, so that what
slows the machine down slows all of them; medians are shown. What misses its target (the table of ratios) says MISSED.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / folder) for folder in ("bench", "tests", "examples/ct_series")]

from anatomy import head  # noqa: E402
from make_ct_series import hu_slices  # noqa: E402
from records import measured, show  # noqa: E402
from targets import bound_mb, table, targets  # noqa: E402

OURS = ("cargo", "run", "--release", "--quiet", "-p", "tomobasis-linalg", "--example", "decompose_raw", "--")
FAER = (*"cargo run --release --quiet -p tomobasis-dense --features peers --example faer_peer --".split(),)
GRAM = "Gram matrix alone"
SCALES = {
    "full": {"columns": (50, 100, 200, 300, 500, 1000, 2000), "rows": tuple(1 << e for e in range(14, 23, 2))},
    "small": {"columns": (50, 100), "rows": (1 << 14, 1 << 16)},
}


def measure(command, threads):
    """Runs a command that prints a line of JSON; returns it."""
    cores = {f"{library}_NUM_THREADS": str(threads) for library in ("OPENBLAS", "OMP", "MKL")}
    words = [str(word) for word in command]
    done = subprocess.run(words, env={**os.environ, **cores}, stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit(f"error: {' '.join(words)} failed (see above)")
    return json.loads(done.stdout)


def binary(command):
    """Builds an example; returns its program, so that no measurement includes cargo."""
    build = [word if word != "run" else "build" for word in command if word != "--"]
    lines = subprocess.run([*build, "--message-format=json"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    return next(p for line in lines.splitlines() if (p := json.loads(line).get("executable")))


def ways(ours, faer, matrix, rows, columns, rank):
    """(name, threads) -> command, for all that is compared."""
    here = Path(__file__).with_name("methods.py")
    k, n = str(rank), str(columns)
    shape = (matrix, str(rows), n)

    def other(method, rank, threads):
        return (sys.executable, here, method, *shape, rank, str(threads))

    jobs = {("faer thin_svd, full", 1): (faer, *shape)}
    for t in (1, 2):
        jobs |= {
            ("ours, full", t): (ours, *shape, n, str(t)),
            (f"ours, k={k}", t): (ours, *shape, k, str(t)),
            (f"OpenBLAS dsyrk, {GRAM}", t): other("dsyrk", n, t),
            ("NumPy Gram + eigh, full", t): other("gram_eigh", n, t),
            (f"NumPy Gram + eigh, k={k}", t): other("gram_eigh", k, t),
            (f"scikit-learn randomized_svd, k={k}", t): other("sklearn_randomized", k, t),
            (f"Dask svd_compressed, k={k}", t): other("dask_svd_compressed", k, t),
        }
    jobs[("LAPACK gesdd, full", 1)] = other("gesdd", n, 1)
    jobs[("Dask svd, full", 2)] = other("dask_svd", n, 2)
    return jobs


def in_turn(jobs, repeat):
    """All measurements of every job, the jobs taking turns."""
    runs = {job: [] for job in jobs}
    for turn in range(repeat):
        for (name, threads), command in jobs.items():
            print(f"{turn + 1}/{repeat} {name}, {threads} thread{'s'[: threads > 1]}", file=sys.stderr, flush=True)
            runs[name, threads].append(measure(command, threads))
    return runs


def seconds(run):
    """Wall seconds of a run, whoever made it: pixels to U, s and V (or what it makes of them)."""
    return run["seconds"] if "seconds" in run else run.get("svd") or run["gram"] + run["certified"] + run["project"]


def median(runs):
    """The run with the median time."""
    return sorted(runs, key=seconds)[len(runs) // 2]


def entries(name, threads, runs):
    """What the record says of a job: its median run, and the Gram matrix of it alone where that was timed."""
    middle = median(runs)
    rest = {key: value for key, value in middle.items() if key not in ("s", "seconds")}
    spread = [min(map(seconds, runs)), max(map(seconds, runs))]
    yield {"method": name, "threads": threads, "seconds": seconds(middle), "spread": spread, **rest}
    if "gram" in middle:
        times = sorted(r["gram"] for r in runs)
        alone = {"seconds": times[len(times) // 2], "spread": [times[0], times[-1]]}
        yield {"method": f"{name.split(',')[0].split(' ')[0]}, {GRAM}", "threads": threads, **alone}


def worst_error(s, exact):
    """The largest relative error of singular values."""
    return max((abs(a - b) / b for a, b in zip(s, exact, strict=False)), default=None)


def scaling(ours, scale):
    """Our cost against the number of columns (full rank) and of rows (k = 50), one thread, synthetic data."""
    sizes = [("columns", 1 << 16, n, n) for n in scale["columns"]] + [("rows", m, 100, 50) for m in scale["rows"]]
    out = []
    for against, m, n, k in sizes:
        print(f"{m} x {n}, k={k}", file=sys.stderr, flush=True)
        run = measure((ours, "made", m, n, k, 1), 1)
        out.append({"against": against, "rows": m, "columns": n, "k": k, "bound_mb": bound_mb(m, n, k, 1), **run})
    return out


def folder_run(series, repeat):
    """Stages and whole of `tomobasis decompose` on a folder, two threads; None when there is no folder."""
    if not series.is_dir():
        return None
    runs = []
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as scratch:
        for _ in range(repeat):
            words = ["bin/tomobasis", "decompose", "--input", series, "--output", f"{scratch}/r", "--overwrite"]
            began = time.perf_counter()
            done = subprocess.run([*map(str, words), "--threads", "2"], cwd=ROOT, stderr=subprocess.PIPE, text=True)
            if done.returncode:
                sys.exit(f"error: bin/tomobasis failed: {done.stderr}")
            whole = time.perf_counter() - began
            manifest = json.loads(Path(scratch, "r/manifest.json").read_text())
            runs.append({"whole": whole, "stages": manifest["run"]["timings"]})
    return sorted(runs, key=lambda r: r["whole"])[repeat // 2]


def make_matrix(path, slices, size):
    values = [hu.astype("<i2").ravel() for _, hu in hu_slices(head("auto"), slices, size, size)]
    np.concatenate(values).tofile(path)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--slices", type=int, default=301)
    p.add_argument("--size", type=int, default=512, help="rows and columns of a slice")
    p.add_argument("--rank", type=int, default=50, help="k of the runs that are not of full rank")
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--scale", choices=SCALES, default="full")
    p.add_argument("--series", type=Path, default=ROOT / "demo/series", help="folder for the run from files to result")
    p.add_argument("--json", type=Path, default=ROOT / "build/bench/peers.json")
    o = p.parse_args()
    rank = min(o.rank, o.slices)
    ours, faer = binary(OURS), binary(FAER)
    with tempfile.TemporaryDirectory() as scratch:
        matrix = Path(scratch) / "matrix.i16"
        make_matrix(matrix, o.slices, o.size)
        runs = in_turn(ways(ours, faer, matrix, o.size**2, o.slices, rank), o.repeat)
    middle = {job: median(r) for job, r in runs.items()}
    exact = next(r["s"] for (name, _), r in middle.items() if name.startswith("LAPACK"))
    results = []
    for (name, threads), of_job in runs.items():
        error = worst_error(middle[name, threads].get("s") or [], exact)
        for entry in entries(name, threads, of_job):
            # Runs of k and of full rank have the same Gram matrix.
            if not any((r["method"], r["threads"]) == (entry["method"], threads) for r in results):
                results.append({**entry, "error_of_s": error})
    kernel = middle["ours, full", 1]["kernel"]
    about = measured(o.repeat, kernel=kernel, matrix=[o.size**2, o.slices], rank=rank)
    folder = folder_run(o.series, o.repeat)
    record = {**about, "results": results, "folder": folder, "scaling": scaling(ours, SCALES[o.scale])}
    record["targets"] = targets(record)
    show(table(record), record, o.json)


if __name__ == "__main__":
    main()
