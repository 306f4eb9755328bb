#!/usr/bin/env python3
"""Many columns: the Gram matrix against OpenBLAS's dsyrk, s and V against NumPy's eigh, in one run on this machine.

    bench/peers/large.py                   n = 1,000 to 8,000; writes build/bench/large.json (make bench-large)
    bench/peers/large.py --columns 1000 --repeat 1      a try-out

Every measurement is a process of its own on the same matrix, and the two sides take turns. Ours is the time from pixels in memory to
the Gram matrix, and from there to proven s and V. eigh always computes all eigenvectors, also where k is 20.
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
from run import OURS, binary, measure  # noqa: E402

ROWS = 16384
FEW = 20
# Full rank up to this many columns.
FULL = 2000


def make_matrix(path, columns):
    """A smooth scan with noise, column after column."""
    random = np.random.default_rng(1)
    i = np.arange(ROWS)[None, :] * 8 / ROWS
    with open(path, "wb") as file:
        for j in range(0, columns, 100):
            wave = 1000 * np.sin(i + np.arange(j, min(j + 100, columns))[:, None] * 5 / columns)
            file.write((wave + random.integers(0, 64, wave.shape)).astype("<i2").tobytes())


def compare(ours, matrix, columns, rank, threads, repeat):
    """Medians of the Gram matrix and of s and V, ours and theirs."""
    peers = (sys.executable, Path(__file__).with_name("methods.py"))
    shape = (matrix, ROWS, columns)
    runs = []
    for turn in range(repeat):
        print(f"{turn + 1}/{repeat} {columns} columns, k={rank}", file=sys.stderr, flush=True)
        own = measure((ours, *shape, rank, threads), threads)
        dsyrk = measure((*peers, "dsyrk", *shape, rank, threads), threads)
        eigh = measure((*peers, "eigh", *shape, rank, threads), threads)
        runs.append((own["gram"], dsyrk["seconds"], own["certified"], eigh["seconds"], own["peak_mb"]))
    gram, dsyrk, certified, eigh, peak = (float(np.median(values)) for values in zip(*runs, strict=True))
    return {
        "columns": columns,
        "k": rank,
        "gram": gram,
        "dsyrk": dsyrk,
        "certified": certified,
        "eigh": eigh,
        "peak_mb": peak,
    }


def table(record):
    """The record as Markdown."""
    head = ["columns", "k", "Gram, s", "dsyrk / Gram", "s and V, s", "s and V / eigh", "peak, MB"]
    rows = [
        [str(r["columns"]), str(r["k"]), f"{r['gram']:.2f}", f"{r['dsyrk'] / r['gram']:.2f}",
         f"{r['certified']:.2f}", f"{r['certified'] / r['eigh']:.2f}", f"{r['peak_mb']:.0f}"]
        for r in record["results"]
    ]  # fmt: skip
    return f"{heading(record, f'{ROWS} rows')}\n\n{markdown(head, rows)}"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--columns", type=int, nargs="+", default=[1000, 2000, 4000, 8000])
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--json", type=Path, default=ROOT / "build/bench/large.json")
    o = p.parse_args()
    ours = binary(OURS)
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        matrix = Path(scratch) / "matrix.i16"
        for columns in o.columns:
            make_matrix(matrix, columns)
            for rank in [FEW, columns][: 1 + (columns <= FULL)]:
                results.append(compare(ours, matrix, columns, rank, o.threads, o.repeat))
    record = {**measured(o.repeat, threads=o.threads), "results": results}
    show(table(record), record, o.json)


if __name__ == "__main__":
    main()
