#!/usr/bin/env python3
"""Measures what one scan costs on one core, by method and by what is written: the rates of docs/scaling.md.

    bench/rates.py --input demo/series [--repeat 3] [--scratch /dev/shm]

Seconds are CPU time of the whole process (user and system), which other load on the machine changes less than time on the clock. Of the
repeats, the median is shown. The archive of a cluster has one such run in each task.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from records import heading, markdown, measured, show

ROOT = Path(__file__).resolve().parent.parent
WAYS = (
    "--rank full",
    "--rank 50",
    "--rank 50 --emit parquet",
    "--rank 50 --emit parquet --method tsqr",
    "--rank 50 --emit parquet --method dssvd",
)


def one_run(words, output):
    """(CPU seconds, peak MB, bytes of the result, stages)."""
    shutil.rmtree(output, ignore_errors=True)
    command = ["bin/tomobasis", "decompose", "--threads", "1", *words, "--output", str(output)]
    with tempfile.TemporaryFile() as log:
        files = [(os.POSIX_SPAWN_DUP2, log.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2)]
        process = os.posix_spawn(command[0], command, os.environ, file_actions=files)
        _, status, usage = os.wait4(process, 0)
        if status:
            log.seek(0)
            sys.exit(f"error: {' '.join(command)} failed:\n{log.read().decode(errors='replace')}")
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    manifest = json.loads((output / "manifest.json").read_text())
    cpu = usage.ru_utime + usage.ru_stime
    return {"cpu": cpu, "peak_mb": usage.ru_maxrss / 1024, "bytes": size, "run": manifest["run"]}


def median_of(runs):
    """Of each figure its own."""
    return {key: statistics.median(run[key] for run in runs) for key in ("cpu", "peak_mb", "bytes")}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--input", required=True)
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--scratch", help="where the results are written [default: the system's temporary folder]")
    p.add_argument("--json", type=Path, default=ROOT / "build/bench/rates.json")
    o = p.parse_args()
    os.chdir(ROOT)
    found, kernel = {}, ""
    with tempfile.TemporaryDirectory(dir=o.scratch) as scratch:
        for way in WAYS:
            runs = [one_run(["--input", o.input, *way.split()], Path(scratch) / "result") for _ in range(o.repeat)]
            found[way], kernel = median_of(runs), runs[0]["run"]["kernel"]
    record = measured(o.repeat, threads=1, kernel=kernel, ways=found)
    rows = [
        [f"`{way}`", f"{one['cpu']:.2f}", f"{one['peak_mb']:.0f}", f"{one['bytes'] / 1e6:.0f}"]
        for way, one in found.items()
    ]
    table = markdown(["one scan, one thread", "CPU seconds", "peak memory, MB", "result, MB"], rows)
    show(f"{heading(record, f'kernel {kernel}')}\n\n{table}", record, o.json)


if __name__ == "__main__":
    main()
