"""`examples/kubernetes.ipynb`, all of its cells: submitted from the notebook, fetched, verified. The default tier runs it up to
the manifest."""

import os
import subprocess

import pytest

from cluster import APPLICATIONS, LONGEST
from running import ROOT

# `make test-cluster` makes it: the environment of the Python package's tests, with the wheel.
PYTHON = ROOT / "build/python/bin/python"


def test_a_notebook_submits_fetches_and_verifies(cluster, volume, tmp_path):
    if not PYTHON.exists():
        pytest.skip("the Python package is not built: scripts/wheel.sh test builds it")
    cluster.kubectl("-n", cluster.namespace, "wait", "--for=condition=Ready", "pod/files", "--timeout=100s")
    given = {**os.environ, "TOMOBASIS_OVERLAY": str(cluster.overlay("minikube"))}
    command = [PYTHON, ROOT / "tests/notebooks.py", "kubernetes.ipynb", tmp_path]
    run = subprocess.run(command, env=given, capture_output=True, text=True, timeout=LONGEST)
    assert run.returncode == 0, run.stderr[-4000:]
    assert "[completed]" in run.stdout
    (result,) = (tmp_path / "examples/work").glob("notebook-*")
    assert (result / "report.html").read_bytes()
    assert cluster.get(APPLICATIONS, result.name) is None
    assert not (volume / result.name).exists()
