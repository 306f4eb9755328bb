"""What tests of several folders share: a cluster of real processes, and a scan that keeps it busy for some seconds."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from oracle import result
from running import decompose, made_scan, tomobasis
from standalone import standalone

# A line of Spark's own log, such as one about an executor that was lost: it can be the last one.
SPARKS = re.compile(r"\d\d:\d\d:\d\d (WARN|ERROR) ")


@dataclass(frozen=True)
class BusyScan:
    """A made scan on disk, and the root digest of what the command makes of it."""

    folder: Path
    root: str

    def is_in(self, base, run):
        """Asserts that a run of the job ended well, and that `base` holds this scan's result and nothing else."""
        assert run.code == 0 and run.errors == [], run.err
        assert self.root in run.out
        ours = [line for line in run.err.splitlines() if not SPARKS.match(line)]
        assert ours[-1].startswith("[5/5] render"), run.err
        self.stands(base)

    def stands(self, base):
        """Asserts that `base` holds this scan's result, to the bit, and nothing else."""
        assert [path.name for path in base.iterdir()] == ["result"]
        assert result.read(base / "result").manifest["digests"]["root"] == self.root
        verified = tomobasis("verify", base / "result", "--input", self.folder)
        assert verified.code == 0, verified.err


@pytest.fixture(scope="session")
def busy_scan(tmp_path_factory):
    """60 slices of 256 x 256: 16 row blocks."""
    base = tmp_path_factory.mktemp("busy")
    made_scan(base / "series", slices=60, rows=256, columns=256)
    run = decompose("--input", base / "series", "--output", base / "result")
    assert run.code == 0, run.err
    return BusyScan(base / "series", result.read(base / "result").manifest["digests"]["root"])


@pytest.fixture(scope="session")
def standalone_cluster(tmp_path_factory):
    with standalone(tmp_path_factory.mktemp("standalone")) as cluster:
        yield cluster
