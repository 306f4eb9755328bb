"""docs/kubernetes.md, from nothing to a picture, as it stands there. What makes a cluster and brings the image to it is left to run.py."""

import os
import re
import subprocess

from cluster import LONGEST
from running import ROOT

PAGE = ROOT / "docs/kubernetes.md"
NOT_HERE = ("helm", "docker", "minikube", "xdg-open")


def commands(heading):
    """The commands of the first indented block under a heading, without those that need more than a cluster."""
    section = PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    block = re.search(r"(?:^    .*\n|^\n)+", section[section.index("\n    ") + 1 :], re.MULTILINE)[0]
    lines = block.replace("\\\n", " ").splitlines()
    words = [line.partition(" #")[0].strip() for line in lines if not line.lstrip().startswith("#")]
    return [line for line in words if line and not line.startswith(NOT_HERE)]


def test_the_page_has_the_commands_that_are_run_here():
    first = [line.split()[0] for line in commands("From nothing to a picture")]
    assert first.count("kubectl") >= 4
    assert first.count("bin/tomobasis-submit") == 1
    assert first[-1] == "bin/tomobasis"


def test_from_nothing_to_a_picture_as_the_page_says(cluster, volume, scan, tmp_path):
    for command in commands("From nothing to a picture"):
        here = re.sub(r"\b(bin|k8s)/", rf"{ROOT}/\1/", command).replace("demo/series", str(scan.folder))
        done = subprocess.run(
            here, shell=True, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=LONGEST
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    scan.same_as(tmp_path / "result")
    assert (tmp_path / "result/pictures/composites.png").read_bytes().startswith(b"\x89PNG")
