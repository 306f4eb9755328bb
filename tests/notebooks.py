"""Runs a notebook of `examples/` in a folder of its own, beside what it expects to be beside it.

notebooks.py NOTEBOOK EXECUTED runs all cells here, and writes the notebook with its outputs.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
NOTEBOOKS = sorted(path.name for path in EXAMPLES.glob("*.ipynb"))
# Of the cells that need a Kubernetes cluster.
CLUSTER = "cluster"


def read(name):
    return nbformat.read(EXAMPLES / name, as_version=nbformat.NO_CONVERT)


def without(notebook, tag):
    """The notebook without the cells that have a tag."""
    kept = [cell for cell in notebook.cells if tag not in cell.metadata.get("tags", ())]
    return nbformat.from_dict({**notebook, "cells": kept})


def execute(notebook, folder, python=sys.executable, start="examples"):
    """Runs all cells by a kernel of an environment, in a copy of `examples/`, and returns the notebook with its outputs; an
    exception in a cell is one here. The kernel starts in `start`, beside or below that copy.

    In a process of its own, without Python's development mode, in which these tests run: it makes nbclient slow.
    """
    folder = Path(folder)
    shutil.copytree(EXAMPLES, folder / "examples", ignore=shutil.ignore_patterns("work", "*.ipynb", "__pycache__"))
    (folder / "bin").symlink_to(ROOT / "bin")
    source, executed = folder / "source.ipynb", folder / "executed.ipynb"
    nbformat.write(notebook, source)
    own = {name: str(folder / name.lower()) for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR")}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDEVMODE"} | own
    command = [python, __file__, source, executed]
    done = subprocess.run(command, cwd=folder / start, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-8000:])
    return nbformat.read(executed, as_version=nbformat.NO_CONVERT)


def outputs(notebook, kind):
    """All outputs of a MIME type; `text/plain` includes what was printed."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "stream" and kind == "text/plain":
                found.append(output.text)
            found += [data for name, data in output.get("data", {}).items() if name == kind]
    return found


class Client(nbclient.NotebookClient):
    """Leaves the messages of widgets alone: nbclient answers those of some as a browser would, and now and then then waits forever."""

    def handle_comm_msg(self, outs, msg, cell_index):
        """Nothing."""


if __name__ == "__main__":
    ran = nbformat.read(sys.argv[1], as_version=nbformat.NO_CONVERT)
    Client(ran, timeout=600, kernel_name="python3").execute()
    nbformat.write(ran, sys.argv[2])
