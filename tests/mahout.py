"""Mahout's own classes, and Hadoop's, to write and read distributed row matrices with."""

import os
import shutil
import subprocess

import pytest

from running import ROOT
from standalone import spark_home

DRM = ROOT / "tests/data/mahout/Drm.java"


def drm_program(classes):
    """Runs `Drm.java`, compiled into a folder, on Mahout's jars and Spark's Hadoop."""
    for program in ("gradle", "javac"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    listed = subprocess.run(
        ["gradle", "--no-daemon", "--quiet", ":spark-api:mahoutClasspath"], cwd=ROOT, capture_output=True, text=True
    )
    jars = [line for line in listed.stdout.splitlines() if line.endswith(".jar")]
    assert listed.returncode == 0 and any("mahout-hdfs" in jar for jar in jars), listed.stdout + listed.stderr
    classpath = os.pathsep.join([str(classes), *jars, f"{spark_home()}/jars/*"])
    subprocess.run(["javac", "-cp", classpath, "-d", classes, DRM], check=True)

    def run(*words):
        done = subprocess.run(
            ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", classpath, "Drm", *map(str, words)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    return run
