#!/usr/bin/env python3
"""MLlib's decompositions and Mahout's `dssvd` beside TomoBasis's job, on the same scan, in turns (make bench-spark).

    bench/spark/run.py --input demo/series [--repeat 3] [--only "Mahout dssvd" ..] [--minutes 60]

The scan's pixels in HU are a file of rows for the others, each of which runs in a JVM of its own on two cores of Spark (`local[2]`, heap
of 6 GB). The numeric part begins when all rows are in Spark's memory, as vectors of doubles, and ends when singular values, V and every
row of U are computed. The job's numeric part is what its manifest has as gram, decompose and render, where U is also written; what
TomoBasis's library takes on the same vectors in memory as the others is measured too. Digits are those of s that agree with the
certified ones, of the worst of the k; of PCA those of the shares of variance, of QR those of the singular values of R. Ratios are
medians over the rounds, each with the job of the same k in the same round.
"""

import argparse
import json
import math
import multiprocessing
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / folder) for folder in ("bench", "tests", "examples/ct_series")]

from oracle import scan  # noqa: E402
from records import heading, markdown, measured, show  # noqa: E402

SOURCES = ROOT / "bench/spark"
MASTER, HEAP = "local[2]", "6g"
OVERSAMPLE, POWER_ITERATIONS = 15, 1  # of dssvd, as in the pipeline of 2020
OPENBLAS, JAVA_8 = ROOT / ".setup/openblas", ROOT / ".setup/jdk8"
PLAIN, NATIVE = "Java BLAS", "OpenBLAS"


@dataclass(frozen=True)
class Contender:
    """What is run, and with which job of ours it is compared: of the same k, centered or not."""

    kind: str
    k: int
    what: str = ""
    blas: str = ""
    centered: bool = False

    @property
    def name(self):
        k = f"k = {self.k}" if self.k else "all columns"
        centered = ", centered" if self.centered else ""
        if self.kind == "job":
            return f"TomoBasis job, {k}{centered}"
        if self.kind == "library":
            return f"TomoBasis library, {k}"
        if self.kind == "Mahout":
            return f"Mahout dssvd, {k}"
        words = {"svd": f"computeSVD, {k}", "pca": f"PCA, {k}", "qr": "tallSkinnyQR, R alone"}
        return f"MLlib {words[self.what]}, {self.blas}"

    @property
    def job(self):
        return Contender("job", self.k, centered=self.centered)


# In the order in which they run: each after the job that it is compared with.
CONTENDERS = [
    *(Contender("job", k) for k in (50, 244)),
    *(Contender("MLlib", k, "svd", blas) for k in (50, 244) for blas in (PLAIN, NATIVE)),
    *(Contender("library", k) for k in (50, 244)),
    Contender("job", 50, centered=True),
    *(Contender("MLlib", 50, "pca", blas, centered=True) for blas in (PLAIN, NATIVE)),
    Contender("Mahout", 50),
    Contender("job", 0),
    *(Contender("MLlib", 0, "qr", blas) for blas in (PLAIN, NATIVE)),
]


def fail(text):
    sys.exit(f"error: {text}")


class Stopped(Exception):
    """A run took longer than there was time."""


# When runs are stopped, on the monotonic clock.
deadline = math.inf


def measure(words, environment=None):
    """Runs a command in the root: seconds, CPU seconds and peak memory of the process."""
    words = [str(word) for word in words]
    with tempfile.TemporaryFile() as log:
        files = [(os.POSIX_SPAWN_DUP2, log.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2)]
        started = time.monotonic()
        process = os.posix_spawnp(words[0], words, {**os.environ, **(environment or {})}, file_actions=files)
        stop = threading.Timer(min(deadline - started, threading.TIMEOUT_MAX), os.kill, (process, signal.SIGKILL))
        stop.start()
        _, status, usage = os.wait4(process, 0)
        stop.cancel()
        seconds = time.monotonic() - started
        if status and time.monotonic() >= deadline:
            raise Stopped(f"stopped after {seconds:.0f} s")
        if status:
            log.seek(0)
            raise RuntimeError(f"{' '.join(words)[:400]} failed:\n{log.read().decode(errors='replace')[-3000:]}")
    return {"whole": seconds, "whole_cpu": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1024}


def singular_values(folder):
    return pq.read_table(folder / "singular_values.parquet")["sigma"].to_numpy()


def write_rows(series, path):
    """Writes a row of int16 for each pixel; rows and columns."""
    hu = scan.read(series).hu
    if np.abs(hu).max() > 32767:
        fail("--input: a scan with values of 16 bits is needed; give the demo's series")
    hu.astype("<i2").tofile(path)
    return hu.shape


class Case:
    """A scan, as a folder and as rows; and the certified singular values, of it and of it without the slices' means."""

    def __init__(self, series, scratch):
        self.series, self.scratch = series, scratch
        # In a process of its own: the peak memory of this one would count as that of the processes that it starts.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            self.rows, self.columns = pool.apply(write_rows, (series, scratch / "rows"))
        self.certified = {}
        for centered in (False, True):
            words = ["bin/tomobasis", "decompose", "--input", series, "--output", scratch / "certified"]
            words += ["--emit", "parquet", "--overwrite", *(["--center", "slices"] if centered else [])]
            measure(words)
            self.certified[centered] = singular_values(scratch / "certified")

    def right(self, contender):
        """The numbers that a contender should find."""
        s = self.certified[contender.centered]
        if contender.kind == "MLlib" and contender.what == "pca":
            return s[: contender.k] ** 2 / math.fsum(s**2)
        return s[: contender.k or None]


def digits(found, right):
    """Decimal digits that agree, of the worst number; 16 where all are the same."""
    if len(found) != len(right):
        return 0.0
    error = np.max(np.abs(np.array(found) - right) / right)
    return 16.0 if error == 0 else float(min(16, max(0, -np.log10(error))))


class Programs:
    """The Java programs, compiled, and the jars that they run on."""

    def __init__(self, scratch, only):
        self.spark = next(iter((ROOT / ".venv").glob("lib/python3*/site-packages/pyspark")), None)
        if self.spark is None:
            fail("no Spark in .venv; run make setup")
        self.jar = ROOT / "build/tomobasis-spark.jar"
        on_spark = scratch / "on-spark"
        self.compile(on_spark, [self.jar, self.spark / "jars/*"], "OnSpark.java", [])
        self.packed = scratch / "on-spark.jar"
        subprocess.run(["jar", "cf", self.packed, "-C", on_spark, "."], check=True)
        self.missing = {}
        if not (OPENBLAS / "complete").exists():
            self.missing[NATIVE] = "no OpenBLAS in .setup (bench/spark/setup.sh)"
        if any(one.kind == "Mahout" for one in only):
            self.mahout = self.of_mahout(scratch / "mahout")

    def compile(self, folder, classpath, source, options):
        words = ["javac", *options, "-cp", os.pathsep.join(map(str, classpath)), "-d", folder, SOURCES / source]
        subprocess.run(words, check=True)

    def of_mahout(self, folder):
        listed = ["gradle", "--no-daemon", "--quiet", ":spark-api:mahoutOnSparkClasspath"]
        done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True)
        jars = [line for line in done.stdout.splitlines() if line.endswith(".jar")]
        if done.returncode or not jars:
            self.missing["Mahout"] = "its jars could not be had from Maven"
            return []
        if not (JAVA_8 / "complete").exists():
            self.missing["Mahout"] = "no Java 8 in .setup (bench/spark/setup.sh)"
            return []
        self.compile(folder, jars, "MahoutDssvd.java", ["--release", "8", "-Xlint:-options"])
        return [folder, *jars]

    def lacks(self, contender):
        return self.missing.get(contender.kind) or self.missing.get(contender.blas)

    def job(self, contender, case):
        output = case.scratch / "result"
        shutil.rmtree(output, ignore_errors=True)
        words = ["bin/tomobasis-submit", "--master", MASTER, "--driver-memory", HEAP, "--", "--input", case.series]
        words += ["--output", output, "--emit", "parquet", "--rank", contender.k or "full"]
        run = measure([*words, *(["--center", "slices"] if contender.centered else [])])
        manifest = json.loads((output / "manifest.json").read_text())
        stages = manifest["run"]["timings"]
        numeric = sum(stages[stage] for stage in ("gram", "decompose", "render"))
        kernel = manifest["run"]["kernel"]
        return {**run, "numeric": numeric, "numbers": singular_values(output).tolist(), "how": kernel}

    def on_spark(self, contender, case):
        answer = case.scratch / "answer"
        java = "-Ddev.ludovic.netlib.blas.nativeLib=none -Ddev.ludovic.netlib.lapack.nativeLib=none"
        options = ["--master", MASTER, "--driver-memory", HEAP, "--conf", "spark.ui.enabled=false", "--jars", self.jar]
        if contender.blas == NATIVE:
            places = [path.parent for path in OPENBLAS.rglob("lib*.so.[35]")]
            options += ["--conf", "spark.driver.extraLibraryPath=" + os.pathsep.join(map(str, sorted(set(places))))]
        else:
            options += ["--driver-java-options", java]
        what = contender.what or "tomobasis"
        words = [self.spark / "bin/spark-submit", *options, "--class", "OnSpark", self.packed, what, contender.k]
        # Each task has a core of its own.
        environment = {"SPARK_HOME": str(self.spark), "OPENBLAS_NUM_THREADS": "1", "SPARK_LOCAL_IP": "127.0.0.1"}
        run = measure([*words, case.scratch / "rows", case.columns, answer], environment)
        return {**run, **self.answered(answer, contender, case)}

    def dssvd(self, contender, case):
        answer = case.scratch / "answer"
        java = next(JAVA_8.glob("usr/lib/jvm/*/jre/bin/java"))
        classpath = os.pathsep.join(map(str, self.mahout))
        words = [
            java,
            f"-Xmx{HEAP}",
            "-cp",
            classpath,
            "MahoutDssvd",
            contender.k,
            OVERSAMPLE,
            POWER_ITERATIONS,
            MASTER,
        ]
        environment = {"SPARK_LOCAL_IP": "127.0.0.1"}
        run = measure([*words, case.scratch / "rows", case.columns, answer], environment)
        return {**run, **self.answered(answer, contender, case)}

    @staticmethod
    def answered(answer, contender, case):
        found = json.loads(answer.read_text())
        answer.unlink()
        numbers = found["numbers"]
        if contender.what == "qr":
            r = np.array(numbers).reshape(case.columns, case.columns).T
            numbers = np.linalg.svd(r, compute_uv=False).tolist()
        return {"numeric": found["seconds"], "cpu": found["cpu"], "numbers": numbers, "how": found["blas"]}

    def run(self, contender, case):
        way = {"job": self.job, "Mahout": self.dssvd}.get(contender.kind, self.on_spark)
        run = way(contender, case)
        return {**run, "digits": digits(run.pop("numbers"), case.right(contender))}


def ratio(runs, contender, what):
    """Median over the rounds of a contender's figure over that of the job it is compared with."""
    pairs = [
        run[what] / ours[what]
        for run, ours in zip(runs[contender], runs.get(contender.job, []), strict=False)
        if run and ours
    ]
    return statistics.median(pairs) if pairs and contender.kind != "job" else None


def summary(runs, contender):
    there = [run for run in runs[contender] if run]
    figures = ("numeric", "cpu", "whole", "whole_cpu", "peak_mb", "digits")
    found = {what: statistics.median(run[what] for run in there) for what in figures if what in there[0]}
    ratios = {what: ratio(runs, contender, what) for what in ("numeric", "whole", "whole_cpu")}
    return {"runs": len(there), "how": there[0]["how"], **found, "over_job": ratios}


def table(found):
    head = ["", "runs", "numeric part, s", "its CPU, s", "whole, s", "peak memory, MB", "right digits"]
    head += ["numeric part over the job's", "whole over the job's", "CPU of the whole over the job's"]

    def shown(value, decimals):
        return "" if value is None else f"{value:.{decimals}f}"

    rows = []
    for name, one in found.items():
        ratios = [shown(one["over_job"][what], 1) for what in ("numeric", "whole", "whole_cpu")]
        rows.append([
            name, str(one["runs"]), shown(one["numeric"], 2), shown(one.get("cpu"), 1), shown(one["whole"], 1),
            shown(one["peak_mb"], 0), shown(math.floor(10 * one["digits"]) / 10, 1), *ratios,
        ])  # fmt: skip
    return markdown(head, rows)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--input", required=True)
    p.add_argument("--repeat", type=int, default=3, help="rounds, in each of which every contender runs once")
    p.add_argument("--minutes", type=float, default=math.inf, help="runs are stopped after this time")
    p.add_argument(
        "--only", nargs="+", metavar="NAME", help="contenders whose names begin so, and the jobs beside them"
    )
    p.add_argument("--scratch", help="where rows and results are written [default: the system's temporary folder]")
    p.add_argument("--json", type=Path, default=ROOT / "build/bench/spark.json")
    o = p.parse_args()
    os.chdir(ROOT)
    chosen = [one for one in CONTENDERS if not o.only or any(one.name.startswith(name) for name in o.only)]
    if not chosen:
        fail(f"--only: no such contender; there are {'; '.join(one.name for one in CONTENDERS)}")
    jobs = {one.job for one in chosen}
    chosen = [one for one in CONTENDERS if one in chosen or one in jobs]
    global deadline
    deadline = time.monotonic() + 60 * o.minutes
    with tempfile.TemporaryDirectory(dir=o.scratch) as folder:
        scratch = Path(folder)
        programs, case = Programs(scratch, chosen), Case(Path(o.input).resolve(), scratch)
        missing = {one.name: programs.lacks(one) for one in chosen if programs.lacks(one)}
        runs = {one: [] for one in chosen if one.name not in missing}
        for round_ in range(o.repeat):
            for one in runs:
                if time.monotonic() >= deadline:
                    runs[one].append(None)
                    continue
                print(f"round {round_ + 1}: {one.name}", file=sys.stderr, flush=True)
                try:
                    runs[one].append(programs.run(one, case))
                except Stopped as error:
                    missing[one.name] = str(error)
                    runs[one].append(None)
                except RuntimeError as error:
                    print(error, file=sys.stderr)
                    missing[one.name] = "failed"
                    runs[one].append(None)
        found = {one.name: summary(runs, one) for one in runs if any(runs[one])}
    for one in runs:
        if not any(runs[one]):
            missing.setdefault(one.name, "there was no time left")
    missing = {name: why for name, why in missing.items() if name not in found}
    about = {"rows": case.rows, "columns": case.columns, "OPENBLAS_CORETYPE": os.environ.get("OPENBLAS_CORETYPE")}
    detail = {one.name: runs[one] for one in runs}
    record = measured(
        max(one["runs"] for one in found.values()), **about, not_run=missing, contenders=found, rounds=detail
    )
    shape = f"{case.rows} x {case.columns}"
    kernels = sorted({f"{name}: {one['how']}" for name, one in found.items() if one["how"]})
    text = f"{heading(record, shape)}\n\n{table(found)}\n\nkernel, BLAS or Java: {'; '.join(kernels)}"
    if missing:
        text += "\nnot run: " + "; ".join(f"{name}: {why}" for name, why in missing.items())
    show(text, record, o.json)


if __name__ == "__main__":
    main()
