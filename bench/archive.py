#!/usr/bin/env python3
"""Measures an archive of small series: the job with `--series all`, and the command for one series after the other on each core.

    bench/archive.py [--series 1000] [--slices 16] [--size 128x128] [--repeat 3] [--scratch /dev/shm]

Both ways in turns, with the same options; the roots of all results have to be the same. Of the job, the stage that makes the results is
shown beside the whole, which has the start of Java and Spark in it. The throughput of the job is that of the command where the ratio is 1.
CPU time is that of all processes (user and system), which other work on the machine changes less than time on the clock.
"""

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from records import heading, markdown, measured, show

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "examples/ct_series"))
from anatomy import Phantom  # noqa: E402
from make_ct_series import Storage, file_names, hu_slices, scan_of, size, write_series  # noqa: E402

OPTIONS = ["--rank", "full", "--emit", "parquet"]
STAGE = re.compile(r"^\[2/2\] .* (\d+)/(\d+) series +([0-9.]+) s$", re.M)


def make_archive(folder, series, slices, rows, columns):
    """Writes series that differ in UIDs and pixels, each in a folder of its own."""
    hu = [image for _, image in hu_slices(Phantom(), slices, rows, columns)]
    names = file_names(slices, shuffled=False)
    for number in range(series):
        source = Phantom()
        source.name = f"series {number}"
        turned = [(i, np.roll(image, number, axis=(0, 1))) for i, image in enumerate(hu)]
        write_series(folder / f"{number:05}", scan_of(source, slices, rows, columns, Storage()), turned, names)


def cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(words):
    done = subprocess.run(words, capture_output=True, text=True, errors="replace")
    if done.returncode:
        sys.exit(f"error: {' '.join(words)} failed:\n{done.stderr}")
    return done.stderr


def roots(results):
    """Of all results below a folder."""
    return sorted(json.loads(manifest.read_text())["digests"]["root"] for manifest in results.glob("*/manifest.json"))


def timed(work):
    before, started = cpu(), time.monotonic()
    found = work()
    return found, {"wall": time.monotonic() - started, "cpu": cpu() - before}


def by_job(archive, results, cores):
    words = ["bin/tomobasis-submit", "--master", f"local[{cores}]", "--", "--series", "all", *OPTIONS]
    said, spent = timed(lambda: run([*words, "--input", str(archive), "--output", str(results)]))
    made, of, seconds = STAGE.findall(said)[-1]
    if made != of:
        sys.exit(f"error: the job has made {made} of {of} results")
    return {**spent, "stage": float(seconds)}


def by_command(archive, results, cores):
    def one(series):
        words = ["bin/tomobasis", "decompose", "--threads", "1", *OPTIONS]
        run([*words, "--input", str(series), "--output", str(results / series.name)])

    results.mkdir()
    with ThreadPoolExecutor(cores) as pool:
        return timed(lambda: list(pool.map(one, sorted(archive.iterdir()))))[1]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--series", type=int, default=1000)
    p.add_argument("--slices", type=int, default=16)
    p.add_argument("--size", type=size, default=(128, 128), metavar="ROWSxCOLUMNS")
    p.add_argument("--cores", type=int, default=os.cpu_count(), help="of the job, and commands that run at a time")
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--scratch", help="where archive and results are written [default: the system's temporary folder]")
    p.add_argument("--json", type=Path, default=ROOT / "build/bench/archive.json")
    o = p.parse_args()
    os.chdir(ROOT)
    ways = {"job": by_job, "command": by_command}
    runs = {way: [] for way in ways}
    with tempfile.TemporaryDirectory(dir=o.scratch) as scratch:
        archive = Path(scratch) / "archive"
        make_archive(archive, o.series, o.slices, *o.size)
        for _ in range(o.repeat):
            made = {}
            for way, measure in ways.items():
                results = Path(scratch) / way
                runs[way].append(measure(archive, results, o.cores))
                made[way] = roots(results)
                shutil.rmtree(results)
            if made["job"] != made["command"] or len(made["job"]) != o.series:
                sys.exit("error: the results of the job and of the command differ")
    median = {way: {what: statistics.median(r[what] for r in of) for what in of[0]} for way, of in runs.items()}
    record = measured(o.repeat, series=o.series, slices=o.slices, size=o.size, used=o.cores, runs=runs)
    job, command = median["job"], median["command"]
    rows = []
    for name, mine, theirs in [
        ("on the clock, whole", job["wall"], command["wall"]),
        ("on the clock, results alone", job["stage"], command["wall"]),
        ("CPU time, whole", job["cpu"], command["cpu"]),
    ]:
        rows.append([name, f"{mine:.2f}", f"{theirs:.2f}", f"{theirs / mine:.2f}"])
    about = f"{o.series} series of {o.slices} slices of {o.size[0]} x {o.size[1]}, {o.cores} cores used"
    table = markdown(["seconds", "job", "command", "throughput of the job / command"], rows)
    show(f"{heading(record, about)}\n\n{table}", record, o.json)


if __name__ == "__main__":
    main()
