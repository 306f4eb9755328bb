"""`examples/kubernetes.ipynb`, all of its cells: submitted from the notebook, fetched, verified. The default tier runs it up to
the manifest."""

import pytest

import notebooks
from cluster import APPLICATIONS
from running import ROOT

# `make test-cluster` makes it: the environment of the Python package's tests, with the wheel.
PYTHON = ROOT / "build/python/bin/python"


def test_a_notebook_submits_fetches_and_verifies(cluster, volume, tmp_path, monkeypatch):
    if not PYTHON.exists():
        pytest.skip("the Python package is not built: scripts/wheel.sh test builds it")
    cluster.kubectl("-n", cluster.namespace, "wait", "--for=condition=Ready", "pod/files", "--timeout=100s")
    monkeypatch.setenv("TOMOBASIS_OVERLAY", str(cluster.overlay("minikube")))
    notebook = notebooks.execute(notebooks.read("kubernetes.ipynb"), tmp_path, PYTHON)
    assert any("[completed]" in text for text in notebooks.outputs(notebook, "text/plain"))
    (result,) = (tmp_path / "examples/work").glob("notebook-*")
    assert (result / "report.html").read_bytes()
    assert cluster.get(APPLICATIONS, result.name) is None
    assert not (volume / result.name).exists()
