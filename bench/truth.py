#!/usr/bin/env python3
"""How many digits of other programs' singular value decompositions are right, on the reference matrices (make bench-truth).

    bench/truth.py                                       all programs; writes build/bench/truth.json
    bench/truth.py --only "NumPy svd" "faer thin_svd"    some of them

Each program decomposes the matrices that `tomobasis reference` writes, in a process of its own, asked for all columns;
`tomobasis score` compares. What fails, or returns numbers that are not finite, has no digits, and the table says so.
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

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))

from records import heading, machine, markdown, show  # noqa: E402

FAER = "--release --quiet -p tomobasis-dense --features peers --example faer_svd".split()


def numpy_svd(a):
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    return s, vt.T, u


def gram_eigh(a):
    values, v = np.linalg.eigh(a.T @ a)
    return np.sqrt(np.maximum(values[::-1], 0)), v[:, ::-1], None


def scipy_gesvd(a):
    from scipy import linalg

    u, s, vt = linalg.svd(a, full_matrices=False, lapack_driver="gesvd")
    return s, vt.T, u


def sklearn_randomized(a):
    from sklearn.utils.extmath import randomized_svd

    u, s, vt = randomized_svd(a, min(a.shape), random_state=1)
    return s, vt.T, u


def dask_svd(a):
    import dask
    from dask import array

    # Blocks of rows, as many as Dask's method takes: none may have fewer rows than columns.
    rows = max(a.shape[1], -(-a.shape[0] // 4)) if a.shape[0] >= a.shape[1] else a.shape[0]
    u, s, vt = dask.compute(*array.linalg.svd(array.from_array(a, chunks=(rows, a.shape[1]))))
    return s, vt.T, u


def dask_compressed(a):
    import dask
    from dask import array

    chunked = array.from_array(a, chunks=(-(-a.shape[0] // 2), a.shape[1]))
    u, s, vt = dask.compute(*array.linalg.svd_compressed(chunked, min(a.shape), n_power_iter=2, seed=1))
    return s, vt.T, u


def faer(a):
    with tempfile.TemporaryDirectory() as scratch:
        before, after = Path(scratch, "a"), Path(scratch, "svd")
        a.T.astype("<f8").tofile(before)
        subprocess.run(["cargo", "run", *FAER, "--", before, *map(str, a.shape), after], cwd=ROOT, check=True)
        (m, n), k, numbers = a.shape, min(a.shape), np.fromfile(after, "<f8")
    return numbers[:k], numbers[k + m * k :].reshape(k, n).T, numbers[k : k + m * k].reshape(k, m).T


def mllib(a):
    from pyspark.mllib.linalg.distributed import RowMatrix
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = (
        sys.executable
    )  # Spark's workers take the system's Python otherwise, which has no NumPy
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    svd = RowMatrix(spark.sparkContext.parallelize(a.tolist(), 2)).computeSVD(a.shape[1])
    return svd.s.toArray(), svd.V.toArray(), None


# Name in the table, function, the environment that has it.
PROGRAMS = {
    "NumPy svd": (numpy_svd, ".venv-bench"),
    "SciPy gesvd": (scipy_gesvd, ".venv-bench"),
    "NumPy eigh of A^T A": (gram_eigh, ".venv-bench"),
    "faer thin_svd": (faer, ".venv-bench"),
    "Dask svd": (dask_svd, ".venv-bench"),
    "Dask svd_compressed": (dask_compressed, ".venv-bench"),
    "scikit-learn randomized_svd": (sklearn_randomized, ".venv-bench"),
    "MLlib computeSVD": (mllib, ".venv"),
}


def decompose_all(program, matrices, output):
    """In a process of its own: an .npz file for each matrix, or what went wrong, as text."""
    method, _ = PROGRAMS[program]
    for file in sorted(Path(matrices).glob("*.npz")):
        a = np.load(file)["A"]
        try:
            s, v, u = method(a)
        except Exception as error:
            Path(output, f"{file.stem}.failed").write_text(f"{type(error).__name__}: {error}".splitlines()[0])
            continue
        vectors = {name: x for name, x in (("V", v), ("U", u)) if x is not None}
        if all(np.isfinite(x).all() for x in (s, *vectors.values())):
            np.savez(Path(output, file.name), matrix=file.stem, s=s, **vectors)
        else:
            Path(output, f"{file.stem}.failed").write_text("numbers that are not finite")


def tomobasis(*words):
    return subprocess.run([ROOT / "bin/tomobasis", *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def results(program, matrices):
    """matrix -> score, or the reason why there is none."""
    print(program, file=sys.stderr, flush=True)
    python = ROOT / PROGRAMS[program][1] / "bin/python"
    with tempfile.TemporaryDirectory() as output:
        subprocess.run([python, __file__, "--decompose", program, matrices, output], check=True)
        failed = {file.stem: {"failed": file.read_text()} for file in Path(output).glob("*.failed")}
        files = sorted(Path(output).glob("*.npz"))
        scores = json.loads(tomobasis("score", "--json", *files))["scores"] if files else []
    return failed | {score["matrix"]: score for score in scores}


def shown(digits):
    """Rounded down, as `tomobasis score` does."""
    return f"{math.floor(10 * digits) / 10:.1f}"


def of_s(score):
    rank = score["rank_found"]
    wrong = f", rank {rank}" if rank is not None and rank != score["rank"] else ""
    missing = f", {score['scored']} of {score['rank']}" if score["scored"] < score["rank"] else ""
    return f"{shown(score['digits']['s'])}{wrong}{missing}"


def of_v(score):
    digits = score["digits"]
    return f"{shown(digits['v'])} / {shown(digits['v_clusters'])}"


def table(record):
    """Two tables: of `s`, and of `V` with its clusters."""
    scores = record["programs"]

    def rows(cell):
        def text(score):
            return "failed" if "failed" in score else cell(score)

        return [[name, *(text(of[name]) for of in scores.values())] for name in record["matrices"]]

    said = heading(record, *(f"{k} {v}" for k, v in record["versions"].items()))
    return "\n\n".join([said, *(markdown([head, *scores], rows(cell)) for head, cell in (("s", of_s), ("V", of_v)))])


def versions():
    from importlib.metadata import version

    names = {"NumPy": "numpy", "SciPy": "scipy", "scikit-learn": "scikit-learn", "Dask": "dask"}
    lock = (ROOT / "Cargo.lock").read_text().split('name = "faer"\nversion = "')[1].split('"')[0]
    pinned = (ROOT / "requirements.txt").read_text().splitlines()
    spark = next(line.split("==")[1] for line in pinned if line.startswith("pyspark=="))
    return {**{name: version(package) for name, package in names.items()}, "faer": lock, "Spark": spark}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    parser.add_argument("--json", type=Path, default=ROOT / "build/bench/truth.json")
    parser.add_argument("--decompose", nargs=3, metavar=("PROGRAM", "MATRICES", "OUTPUT"), help=argparse.SUPPRESS)
    o = parser.parse_args()
    if o.decompose:
        decompose_all(*o.decompose)
        return
    with tempfile.TemporaryDirectory() as scratch:
        matrices = Path(scratch, "matrices")
        tomobasis("reference", matrices)
        names = [entry["name"] for entry in json.loads((matrices / "manifest.json").read_text())["matrices"]]
        programs = {program: results(program, matrices) for program in o.only}
    record = {**machine(), "versions": versions(), "matrices": names, "programs": programs}
    show(table(record), record, o.json)


if __name__ == "__main__":
    main()
