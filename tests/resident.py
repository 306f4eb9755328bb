"""Resident memory of one JVM over many jobs."""

import re
from pathlib import Path

from job_session import job_session
from running import made_scan

# The heap is all there from the start, so what grows is outside of it. Spark takes no smaller one.
HEAP = "-Xms512m -Xmx512m -XX:+AlwaysPreTouch -XX:+UseSerialGC"


def resident(pid):
    """MB."""
    (kib,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(kib) / 1024


def growth(folder, jobs, after):
    """By what part the resident memory of a JVM has grown since so many of its jobs were done; what each had, for the message."""
    made_scan(folder / "scan", slices=240, rows=64, columns=64)
    methods = (["--method", "gram"], ["--method", "dssvd", "--rank", "60", "--power-iterations", "2"])
    had = []
    with job_session(java=HEAP) as job:
        for number in range(jobs):
            out = folder / f"out-{number % 2}"
            run = job(
                "--input", folder / "scan", "--output", out, "--overwrite", "--emit", "parquet", *methods[number % 2]
            )
            assert run.code == 0, run.err
            had.append(round(resident(job.process.pid), 1))
    return max(had[-4:]) / max(had[after - 4 : after]), had
