#!/usr/bin/env python3
"""How near `dssvd` comes to the SVD, beside scikit-learn's randomized_svd and the published method of Mahout, at equal k, p and q.

    bench/peers/randomized.py SERIES...      folders of DICOM; writes build/bench/randomized.json (make bench-randomized)

For each series and seed every method gives k singular triplets. Compared are the largest relative error of a singular value, against the
certified ones of `--method exact`, and the residual ||A - U S V^T||_F over the least there is, ||A - A_k||_F. Both are medians over the
seeds. It is about accuracy, not time.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.utils.extmath import randomized_svd

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / folder) for folder in ("bench", "tests", "examples/ct_series")]

from oracle import result, scan  # noqa: E402
from records import machine, markdown, show  # noqa: E402


def scikit_learn(a, k, p, q, seed):
    return randomized_svd(a, k, n_oversamples=p, n_iter=q, random_state=seed)


def mahout(a, k, p, q, seed):
    """Lyubimov and Palumbo (2016), "Apache Mahout: Beyond MapReduce", dssvd: thin QR by Cholesky, eigenvectors of B B^T."""

    def thin_q(y):
        r = np.linalg.cholesky(y.T @ y).T
        return np.linalg.solve(r.T, y.T).T

    omega = np.random.default_rng(seed).standard_normal((a.shape[1], k + p))
    basis = thin_q(a @ omega)
    b = a.T @ basis
    for _ in range(q):
        basis = thin_q(a @ b)
        b = a.T @ basis
    values, vectors = np.linalg.eigh(b.T @ b)
    s, vectors = np.sqrt(values[::-1][:k]), vectors[:, ::-1][:, :k]
    return basis @ vectors, s, (b @ vectors / s).T


def command(series, *options):
    """`tomobasis decompose`, its result read."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        words = ["bin/tomobasis", "decompose", "--input", series, "--output", f"{scratch}/r", "--emit", "parquet"]
        done = subprocess.run([*map(str, [*words, *options])], cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"error: bin/tomobasis failed: {done.stderr}")
        return result.read(f"{scratch}/r")


def ours(series, k, p, q, seed):
    options = {"--method": "dssvd", "--rank": k, "--oversample": p, "--power-iterations": q, "--seed": seed}
    found = command(series, *(word for pair in options.items() for word in pair))
    return found.u, found.s, found.v.T


def errors(a, exact, least, triplets):
    """Largest relative error in s; residual over the least there is."""
    u, s, vt = triplets
    k = len(s)
    residual = np.sqrt(sum(np.linalg.norm(rows - (u_rows * s) @ vt) ** 2 for rows, u_rows in chunks(a, u)))
    return float(np.max(np.abs(s - exact[:k]) / exact[:k])), float(residual / least)


def chunks(*matrices, rows=1 << 15):
    for first in range(0, len(matrices[0]), rows):
        yield [m[first : first + rows] for m in matrices]


def compare(series, k, p, q, seeds):
    a = scan.read(series).hu.astype(np.float64)
    exact = command(series, "--rank", "full").s
    k = min(k, len(exact) - 1)
    least = np.sqrt(np.sum(exact[k:][::-1] ** 2))
    methods = {
        "tomobasis dssvd": lambda seed: ours(series, k, p, q, seed),
        "scikit-learn randomized_svd": lambda seed: scikit_learn(a, k, p, q, seed),
        "Mahout dssvd, as published": lambda seed: mahout(a, k, p, q, seed),
    }
    for name, method in methods.items():
        found = []
        for seed in range(seeds):
            print(f"{series.name}, {name}, seed {seed}", file=sys.stderr, flush=True)
            found.append(errors(a, exact, least, method(seed)))
        of_s, residual = np.array(found).T
        yield {
            "series": series.name, "rows": a.shape[0], "columns": a.shape[1], "k": k, "method": name,
            "error_of_s": float(np.median(of_s)), "spread_of_s": [of_s.min(), of_s.max()],
            "residual_over_least": float(np.median(residual)),
        }  # fmt: skip


def table(rows):
    head = ["series", "method", "largest relative error of s", "least to most", "residual over the least, minus 1"]
    return markdown(
        head,
        [
            [f"{r['series']}, {r['rows']} x {r['columns']}, k={r['k']}", r["method"], f"{r['error_of_s']:.2e}",
             "{:.1e} to {:.1e}".format(*r["spread_of_s"]), f"{r['residual_over_least'] - 1:.2e}"]
            for r in rows
        ],
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("series", type=Path, nargs="+")
    parser.add_argument("--rank", type=int, default=50)
    parser.add_argument("--oversample", type=int, default=15)
    parser.add_argument("--power-iterations", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=11)
    parser.add_argument("--json", type=Path, default=ROOT / "build/bench/randomized.json")
    o = parser.parse_args()
    parameters = o.rank, o.oversample, o.power_iterations
    rows = [row for series in o.series for row in compare(series.resolve(), *parameters, o.seeds)]
    names = ("k", "p", "q")
    record = {**machine(), "seeds": o.seeds, **dict(zip(names, parameters, strict=True)), "results": rows}
    show(table(rows), record, o.json)


if __name__ == "__main__":
    main()
