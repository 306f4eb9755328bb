"""The library and the job on every Spark that they are for, each with its own jars (`make test-spark-versions`)."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from golden.cases import CASES, FIXED
from golden.record import recorded
from running import ROOT
from sparks import GRADLE, VERSIONS, jars, submit

# Other JDKs than the one on PATH: their folders, with : between.
JDKS = [Path(folder) for folder in os.environ.get("TOMOBASIS_JDKS", "").split(os.pathsep) if folder]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("module", ["spark-api", "spark-job"])
def test_suites_of_the_library_and_of_the_job_pass(version, module):
    command = [*GRADLE, f"-PonSpark={version}", f":{module}:scalaTest"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("case", [*CASES[1:3], FIXED[0]], ids=lambda case: case.name)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_job_has_the_recorded_digests(version, case, tmp_path):
    case.write(tmp_path / "scan")
    where = ("--input", tmp_path / "scan", "--output", tmp_path / "result")
    run = submit(jars(version), *where, "--emit", "parquet", *case.options)
    assert run.code == 0, run.err
    found = json.loads((tmp_path / "result/manifest.json").read_text())["digests"]
    assert found["root"] == recorded()[case.name]["root"]


@pytest.mark.parametrize("java", JDKS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("version", VERSIONS)
def test_another_java_runs_the_job_or_is_refused_in_one_line(version, java, tmp_path):
    CASES[0].write(tmp_path / "scan")
    where = ("--input", tmp_path / "scan", "--output", tmp_path / "result")
    run = submit(jars(version), *where, *CASES[0].options, java=java)
    if run.code == 0:
        found = json.loads((tmp_path / "result/manifest.json").read_text())["digests"]
        assert found["root"] == recorded()[CASES[0].name]["root"]
    else:
        assert len(run.errors) == 1 and run.errors[0].startswith("error: Java ") and "Exception" not in run.err, run.err
