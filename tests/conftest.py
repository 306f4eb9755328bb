"""What tests of several folders share: synthetic scans and their results, the job in one JVM, a cluster of real processes."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from ct_image import Scan
from job_session import job_session
from oracle import result
from running import SHARED, decompose, made_scan, tomobasis
from standalone import standalone

# A line of Spark's own log, such as one about an executor that was lost, can be the last one; so is that of the figures.
SPARKS = re.compile(r"\d\d:\d\d:\d\d (WARN|ERROR) |\{\"tomobasis\":")


def pytest_collection_modifyitems(config, items):
    """Where workers share the files, those that start Spark come first: at the end, one worker would wait for the other's."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("spark")}
        items.sort(key=lambda item: item.path not in slow)


@dataclass(frozen=True)
class BusyScan:
    """A synthetic scan on disk, and the root digest of what the command makes of it."""

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


@dataclass(frozen=True)
class Made:
    """A synthetic scan on disk and what `tomobasis decompose` made of it."""

    folder: Path
    scan: Scan
    result: Path


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    base = tmp_path_factory.mktemp("made")
    scan, _ = made_scan(base / "scan")
    run = decompose("--input", base / "scan", "--output", base / "result")
    assert run.code == 0, run.err
    return Made(base / "scan", scan, base / "result")


@pytest.fixture(scope="session")
def job():
    """The job as a function, for many small runs in one JVM."""
    with job_session() as run:
        yield run


@pytest.fixture(params=["command", pytest.param("job", marks=pytest.mark.spark)])
def way(request):
    """A decomposition, by the command and by the job: a function of the words of its command line."""
    return decompose if request.param == "command" else request.getfixturevalue("job")


@pytest.fixture(scope="session")
def shared():
    """The folder of real scanner output beside the checkout."""

    def find(name):
        folder = SHARED / "data" / name
        if not folder.is_dir():
            pytest.skip(f"{name} is not beside this checkout (TOMOBASIS_SHARED names another place)")
        return folder

    return find
