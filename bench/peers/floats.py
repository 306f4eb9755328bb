#!/usr/bin/env python3
"""Matrices of floats: the exact Gram matrix against OpenBLAS's dsyrk, in one run on this machine.

    bench/peers/floats.py                   normally distributed; writes build/bench/floats.json (make bench-real)
    bench/peers/floats.py --columns 100 --repeat 1      a try-out

Every measurement is a process of its own on the same matrix, and the two sides take turns. Ours is the time from floats in memory to the
exact Gram matrix. OpenBLAS is NumPy's own: `a.T @ a`, of which NumPy has one triangle computed (dsyrk for float64; float32 is widened before
the clock starts).
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "bench"), str(Path(__file__).parent)]

from records import heading, markdown, measured, show  # noqa: E402
from run import binary, measure  # noqa: E402

OURS = tuple("cargo run --release --quiet -p tomobasis-linalg --example real_gram --".split())
THEIRS = """
import json, sys, time
import numpy as np
file, rows, columns, kind = sys.argv[1:]
a = np.fromfile(file, kind).reshape(int(rows), int(columns)).astype(float)
start = time.perf_counter()
gram = a.T @ a
print(json.dumps({"seconds": time.perf_counter() - start, "trace": float(np.trace(gram))}))
"""


def compare(ours, matrix, shape, kind, threads, repeat):
    """Medians of both sides."""
    times = []
    for turn in range(repeat):
        print(f"{turn + 1}/{repeat} {shape[0]} x {shape[1]} {kind}", file=sys.stderr, flush=True)
        own = measure((ours, matrix, *shape, kind, threads), threads)
        other = measure((sys.executable, "-c", THEIRS, matrix, *shape, kind), threads)
        if not np.isclose(own["trace"], other["trace"], rtol=1e-9):
            sys.exit(f"error: traces differ: {own['trace']} and {other['trace']}")
        times.append((own["seconds"], other["seconds"]))
    gram, dsyrk = (float(np.median(side)) for side in zip(*times, strict=True))
    return {"rows": shape[0], "columns": shape[1], "type": kind, "gram": gram, "dsyrk": dsyrk, "kernel": own["kernel"]}


def table(record):
    """The record as Markdown."""
    head = ["type", "rows", "columns", "exact Gram, s", "dsyrk, s", "Gram / dsyrk"]
    rows = [
        [r["type"], str(r["rows"]), str(r["columns"]), f"{r['gram']:.2f}", f"{r['dsyrk']:.2f}", f"{r['gram'] / r['dsyrk']:.1f}"]
        for r in record["results"]
    ]  # fmt: skip
    about = heading(record, f"kernel {record['results'][0]['kernel']}")
    return f"{about}\n\n{markdown(head, rows)}"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, default=131072)
    p.add_argument("--columns", type=int, nargs="+", default=[300, 1000])
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--repeat", type=int, default=5)
    p.add_argument("--json", type=Path, default=ROOT / "build/bench/floats.json")
    o = p.parse_args()
    ours, results = binary(OURS), []
    about = measured(o.repeat, threads=o.threads)
    with tempfile.TemporaryDirectory() as scratch:
        matrix = Path(scratch) / "matrix"
        for columns in o.columns:
            for kind in ("float32", "float64"):
                random = np.random.default_rng(1)
                with open(matrix, "wb") as file:
                    for _ in range(0, o.rows, 4096):
                        file.write(random.standard_normal((4096, columns)).astype(kind).tobytes())
                shape = (-(-o.rows // 4096) * 4096, columns)
                results.append(compare(ours, matrix, shape, kind, o.threads, o.repeat))
    record = {**about, "results": results}
    show(table(record), record, o.json)


if __name__ == "__main__":
    main()
