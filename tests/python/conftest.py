"""Sessions of PySpark, and a scan for them."""

import os
import sys

import pytest

from python_sessions import classic, connect
from running import made_scan


@pytest.fixture(scope="module", params=[classic, connect], ids=["classic", "connect"])
def spark(request, tmp_path_factory):
    os.environ["PYSPARK_PYTHON"] = sys.executable
    # Workers import much, twice as slowly in the development mode.
    os.environ.pop("PYTHONDEVMODE", None)
    with request.param(tmp_path_factory.mktemp("spark")) as session:
        yield session


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    made_scan(folder / "a", slices=9, rows=70, columns=80)
    return folder
