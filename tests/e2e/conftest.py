"""Made scans and their in-process results, shared by the end-to-end tests."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from job_session import job_session

from ct_image import Scan
from running import SHARED, decompose, made_scan


@dataclass(frozen=True)
class Made:
    """A made scan on disk and what `tomobasis decompose` made of it."""

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


@pytest.fixture(scope="module")
def job():
    """The job as a function, for many small runs in one JVM."""
    with job_session() as run:
        yield run


@pytest.fixture(scope="session")
def shared():
    """The folder of real scanner output beside the checkout."""

    def find(name):
        folder = SHARED / "data" / name
        if not folder.is_dir():
            pytest.skip(f"{name} is not beside this checkout (TOMOBASIS_SHARED names another place)")
        return folder

    return find
