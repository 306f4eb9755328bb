"""Kubeflow's two kits, each in an environment of its own (build.py), and what they compile k8s/pipelines to."""

import os
import subprocess

import pytest

from build import CACHE
from running import ROOT

PIPELINES = ROOT / "k8s/pipelines"


def python(version):
    program = CACHE / f"kfp-{version}/bin/python"
    if not program.exists():
        pytest.skip(f"no environment of Kubeflow Pipelines {version}: tests/cluster/build.py kubeflow")
    return program


def compiled(version, target, program="pipeline", **environment):
    path = f"{python(version).parent}:{os.environ['PATH']}"
    command = [python(version), PIPELINES / version / f"{program}.py", target]
    done = subprocess.run(command, env={**os.environ, "PATH": path, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return target.read_text()
