"""Resident memory of one JVM over many jobs."""

import os
import re
from pathlib import Path
from unittest import mock

from job_session import job_session
from running import made_scan

# What grows must be what jobs leave behind. So the heap is all there from the start (Spark takes no smaller one), there is no optimizing
# compiler, whose code and memory grow over hundreds of jobs, and no malloc arena for every thread that Spark ever starts.
JAVA = "-Xms512m -Xmx512m -XX:+AlwaysPreTouch -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
ARENAS = {"MALLOC_ARENA_MAX": "2"}


def resident(pid):
    """MB."""
    (kib,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(kib) / 1024


def growth(folder, jobs, after):
    """By what part the resident memory of a JVM has grown since so many of its jobs were done; what each had, for the message."""
    made_scan(folder / "scan", slices=240, rows=64, columns=64)
    methods = (["--method", "gram"], ["--method", "dssvd", "--rank", "60", "--power-iterations", "2"])
    had = []
    with mock.patch.dict(os.environ, ARENAS), job_session(java=JAVA) as job:
        for number in range(jobs):
            out = folder / f"out-{number % 2}"
            run = job(
                "--input", folder / "scan", "--output", out, "--overwrite", "--emit", "parquet", *methods[number % 2]
            )
            assert run.code == 0, run.err
            had.append(round(resident(job.process.pid), 1))
    return max(had[-4:]) / max(had[after - 4 : after]), had
