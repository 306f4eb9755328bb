"""docs/kubernetes.md, from nothing to a picture, as it stands there.

What makes a cluster and brings the image to it is left to run.py; `helm install` has run before the first test (spark_operator.py).
"""

import os
import re
import subprocess

from cluster import LONGEST
from page import commands
from running import ROOT

PAGE = ("kubernetes.md", "From nothing to a picture")
NOT_HERE = ("helm", "docker", "minikube", "xdg-open")


def run_here():
    return [line for line in commands(*PAGE) if not line.startswith(NOT_HERE)]


def test_the_page_has_the_commands_that_are_run_here():
    first = [line.split()[0] for line in run_here()]
    assert first.count("kubectl") >= 4
    assert first.count("bin/tomobasis-submit") == 1
    assert first[-1] == "bin/tomobasis"


def test_from_nothing_to_a_picture_as_the_page_says(cluster, volume, scan, tmp_path):
    for command in run_here():
        here = re.sub(r"\b(bin|k8s)/", rf"{ROOT}/\1/", command).replace("demo/series", str(scan.folder))
        done = subprocess.run(
            here, shell=True, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=LONGEST
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    scan.same_as(tmp_path / "result")
    assert (tmp_path / "result/pictures/composites.png").read_bytes().startswith(b"\x89PNG")
