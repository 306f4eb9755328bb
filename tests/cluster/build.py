#!/usr/bin/env python3
"""Builds the S3 server of the tests into a cache outside the checkout, once: what is there is kept.

Its release comes as a Go module. Needs Go 1.25 or later. TOMOBASIS_CLUSTER_CACHE names another cache.
"""

import os
import shutil
import sys
import time
from pathlib import Path

import gobuild
from gobuild import Program

CACHE = Path(
    os.environ.get("TOMOBASIS_CLUSTER_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tomobasis/cluster"
)
BINARIES, WORK = CACHE / "bin", CACHE / "work"
S3_SERVER = Program("github.com/versity/versitygw", "v1.8.0", {"versitygw": "cmd/versitygw"})


def main():
    if not shutil.which("go"):
        sys.exit("error: go is not installed; the S3 server of the tests is built with it (Go 1.25 or later)")
    BINARIES.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    gobuild.build(S3_SERVER, WORK / "s3", BINARIES)
    print(f"S3 server: {(time.monotonic() - started) / 60:.1f} min", flush=True)


if __name__ == "__main__":
    main()
