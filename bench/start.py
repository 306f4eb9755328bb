#!/usr/bin/env python3
"""Measures what sharing of Spark's classes saves a job: the job as it is, and without the shared classes, in turns.

    bench/start.py --input demo/series [--repeat 5] [--scratch /dev/shm]

Beside the whole's wall time the CPU time, which other work on the machine changes less.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from records import heading, markdown, measured, show

ROOT = Path(__file__).resolve().parent.parent


def cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def one_run(input, scratch):
    output = os.path.join(scratch, "result")
    job = ["bin/tomobasis-submit", "--master", "local[2]", "--", "--input", input, "--output", output, "--overwrite"]
    before, started = cpu(), time.monotonic()
    done = subprocess.run(job, capture_output=True, text=True, errors="replace")
    if done.returncode:
        sys.exit(f"error: {' '.join(job)} failed:\n{done.stderr}")
    return {"wall": time.monotonic() - started, "cpu": cpu() - before}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--input", required=True)
    p.add_argument("--repeat", type=int, default=5)
    p.add_argument("--scratch", help="where the results are written [default: the system's temporary folder]")
    p.add_argument("--json", type=Path, default=ROOT / "build/bench/start.json")
    o = p.parse_args()
    os.chdir(ROOT)
    archives = list(Path("build").glob("classes-*.jsa"))
    if len(archives) != 1:
        sys.exit("error: no classes are shared; run bin/tomobasis-submit --share-classes")
    [archive] = archives
    aside = archive.with_suffix(".aside")
    runs = {"shared": [], "not shared": []}
    with tempfile.TemporaryDirectory(dir=o.scratch) as scratch:
        for _ in range(o.repeat):
            runs["shared"].append(one_run(o.input, scratch))
            archive.rename(aside)
            try:
                runs["not shared"].append(one_run(o.input, scratch))
            finally:
                aside.rename(archive)
    median = {way: {what: statistics.median(r[what] for r in of) for what in of[0]} for way, of in runs.items()}
    rows = [[what, *(f"{median[way][what]:.2f}" for way in runs)] for what in ("wall", "cpu")]
    for row in rows:
        row.append(f"{float(row[1]) / float(row[2]):.2f}")
    record = measured(o.repeat, runs=runs)
    show(f"{heading(record)}\n\n{markdown(['seconds', *runs, 'ratio'], rows)}", record, o.json)


if __name__ == "__main__":
    main()
