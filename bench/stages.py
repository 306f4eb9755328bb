#!/usr/bin/env python3
"""Measures the stages of the demo's job, in process and through Spark, on one thread and on two.

    bench/stages.py --input demo/series [--repeat 3] [--scratch /dev/shm]

Seconds per stage are what each result's manifest says; the whole includes the start of the process. Of the repeats, the one
with the median whole is shown. Peak memory is the largest resident set of the process that did the work (getrusage).
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from records import machine, markdown, show

ROOT = Path(__file__).resolve().parent.parent
THREADS = (1, 2)
STAGES = ("scan", "decode", "gram", "decompose", "render", "pictures")


def command(threads, input, output):
    return ["bin/tomobasis", "decompose", "--input", input, "--output", output, "--threads", str(threads)]


def job(threads, input, output):
    return ["bin/tomobasis-submit", "--master", f"local[{threads}]", "--", "--input", input, "--output", output]


WAYS = {"in process": command, "Spark": job}


def measure(words):
    """Runs a command in the root; returns (wall seconds, peak resident MB)."""
    with tempfile.TemporaryFile() as log:
        files = [(os.POSIX_SPAWN_DUP2, log.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2)]
        started = time.monotonic()
        process = os.posix_spawn(words[0], words, os.environ, file_actions=files)
        _, status, usage = os.wait4(process, 0)
        seconds = time.monotonic() - started
        if status:
            log.seek(0)
            sys.exit(f"error: {' '.join(words)} failed:\n{log.read().decode(errors='replace')}")
    return seconds, usage.ru_maxrss / 1024


def one_run(way, threads, input, scratch):
    output = os.path.join(scratch, "result")
    shutil.rmtree(output, ignore_errors=True)
    seconds, peak = measure(WAYS[way](threads, input, output))
    manifest = json.loads(Path(output, "manifest.json").read_text())
    return {
        "way": way,
        "threads": threads,
        "stages": manifest["run"]["timings"],
        "whole": seconds,
        "peak_mb": peak,
        "root": manifest["digests"]["root"],
        "kernel": manifest["run"]["kernel"],
    }


def table(runs):
    """The runs as a Markdown table: one row per stage, one column per run."""
    head = ["seconds", *(f"{r['way']}, {r['threads']} thread{'s'[: r['threads'] > 1]}" for r in runs)]
    rows = [[s, *(f"{r['stages'][s]:.2f}" if s in r["stages"] else "" for r in runs)] for s in STAGES]
    rows.append(["whole, with start-up", *(f"{r['whole']:.2f}" for r in runs)])
    rows.append(["peak memory, MB", *(f"{r['peak_mb']:.0f}" for r in runs)])
    return markdown(head, rows)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--input", required=True)
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--scratch", help="where the results are written [default: the system's temporary folder]")
    p.add_argument("--json", type=Path, default=ROOT / "build/bench/stages.json")
    o = p.parse_args()
    os.chdir(ROOT)
    runs = []
    with tempfile.TemporaryDirectory(dir=o.scratch) as scratch:
        for way in WAYS:
            for threads in THREADS:
                repeats = sorted(
                    (one_run(way, threads, o.input, scratch) for _ in range(o.repeat)), key=lambda r: r["whole"]
                )
                runs.append(repeats[len(repeats) // 2])
    if len({r["root"] for r in runs}) != 1:
        sys.exit("error: the runs have different root digests: run tomobasis verify on each")
    about = {**machine(), "kernel": runs[0]["kernel"], "repeat": o.repeat}
    line = "{processor}, {cores} cores, kernel {kernel}, {date}, median of {repeat}".format(**about)
    show(f"{line}\n\n{table(runs)}", {**about, "runs": runs}, o.json)


if __name__ == "__main__":
    main()
