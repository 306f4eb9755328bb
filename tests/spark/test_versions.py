"""The job on the oldest and on the newest Spark that it is tested with; `make test-spark-versions` has all, with the library."""

import json
import tarfile

import pytest

from golden.cases import CASES
from golden.record import recorded
from sparks import VERSIONS, jars, submit


@pytest.mark.spark
@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
def test_the_job_has_the_recorded_digest_from_a_folder_and_from_an_archive(version, tmp_path):
    case, classpath = CASES[0], jars(version)
    case.write(tmp_path / "scan")
    with tarfile.open(tmp_path / "scan.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "scan", "scan")
    for name in ("scan", "scan.tar.gz"):
        output = tmp_path / f"{name}.result"
        run = submit(classpath, "--input", tmp_path / name, "--output", output, *case.options)
        assert run.code == 0, run.err
        manifest = json.loads((output / "manifest.json").read_text())
        assert manifest["run"]["runner"] == f"spark {version}"
        assert manifest["digests"]["root"] == recorded()[case.name]["root"]
