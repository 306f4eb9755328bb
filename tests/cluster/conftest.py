"""What the tests of the full tier share: the S3 server, the synthetic scan in it, and the result that the command makes of it.

`run.py` starts them where they belong: inside the namespaces of a cluster of our own, or beside the user's.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from build import BINARIES
from cluster import Cluster
from oracle import result
from running import decompose, made_scan, tomobasis
from spark_operator import Operator
from store import ROOT_KEYS, Bucket, Keys, Server


@dataclass(frozen=True)
class Scan:
    """A synthetic scan on disk, and what the command makes of it in one process."""

    folder: Path
    slices: int
    root: str

    def same_as(self, folder):
        """Asserts that a result folder is this scan's, to the bit."""
        assert result.read(folder).manifest["digests"]["root"] == self.root
        run = tomobasis("verify", folder, "--input", self.folder)
        assert run.code == 0, run.err


@pytest.fixture(scope="session")
def scan(tmp_path_factory):
    """120 slices of 256 x 256: 16 row blocks, long enough to be disturbed."""
    base = tmp_path_factory.mktemp("scan")
    slices = 120
    made_scan(base / "series", slices=slices, rows=256, columns=256)
    run = decompose("--input", base / "series", "--output", base / "result")
    assert run.code == 0, run.err
    return Scan(base / "series", slices, result.read(base / "result").manifest["digests"]["root"])


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    if not (BINARIES / "versitygw").exists():
        pytest.skip("the S3 server is not built: make test-store builds it")
    server = Server(tmp_path_factory.mktemp("s3"), os.environ.get("TOMOBASIS_NODE_ADDRESS", "127.0.0.1"))
    server.start()
    server.add_stranger()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def endpoint(request):
    """Where the store is: the user's (TOMOBASIS_S3_ENDPOINT, reachable from the pods), else a server of ours."""
    return os.environ.get("TOMOBASIS_S3_ENDPOINT") or request.getfixturevalue("server").endpoint


@pytest.fixture(scope="session")
def keys():
    if os.environ.get("TOMOBASIS_S3_ENDPOINT"):
        return Keys(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    return ROOT_KEYS


@pytest.fixture(scope="session")
def bucket(endpoint, keys, scan):
    """A bucket with the scan under `series`."""
    bucket = Bucket(endpoint, keys, os.environ.get("TOMOBASIS_S3_BUCKET", "scans"))
    bucket.put(scan.folder, "series")
    return bucket


@pytest.fixture(scope="session")
def cluster(endpoint, keys):
    """The cluster of KUBECONFIG, with the namespace set up and, where it is ours, the operator installed."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("no cluster: make test-cluster starts one")
    cluster = Cluster(endpoint)
    cluster.set_up(keys)
    if os.environ.get("TOMOBASIS_NODE_ADDRESS"):
        Operator(cluster).install()
    return cluster


@pytest.fixture
def operator(cluster):
    """The operator, to be changed: a test leaves it as it was, but for what matters to no other."""
    if not os.environ.get("TOMOBASIS_NODE_ADDRESS"):
        pytest.skip("only the operator of a cluster of our own is changed")
    return Operator(cluster)


@pytest.fixture(scope="session")
def volume(cluster, tmp_path_factory):
    """The folder of this machine that is the claim of k8s/files; its pod runs."""
    if not os.environ.get("TOMOBASIS_NODE_ADDRESS"):
        pytest.skip("a folder of this machine is a volume on a cluster of our own only")
    folder = tmp_path_factory.mktemp("volume")
    folder.chmod(0o777)
    cluster.add_volume(folder)
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and "cluster" in item.fixturenames:
        report.sections.append(("cluster", Cluster.state()))
    return report
