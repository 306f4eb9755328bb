"""Runs a notebook of `examples/` in a folder of its own, beside what it expects to be beside it.

notebooks.py NOTEBOOK FOLDER runs all of its cells, and prints what they print.
"""

import os
import shutil
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


def execute(notebook, folder, timeout=900):
    """Runs all cells by a kernel of this environment, in a copy of `examples/`; an exception in a cell is one here."""
    examples = Path(folder) / "examples"
    shutil.copytree(EXAMPLES, examples, ignore=shutil.ignore_patterns("work", "*.ipynb", "__pycache__"))
    (Path(folder) / "bin").symlink_to(ROOT / "bin")
    own = {name: str(Path(folder) / name.lower()) for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR")}
    place = {"metadata": {"path": examples}}
    client = nbclient.NotebookClient(notebook, timeout=timeout, kernel_name="python3", resources=place)
    client.execute(env={**os.environ, **own})
    return notebook


def outputs(notebook, kind):
    """All outputs of a MIME type; `text/plain` includes what was printed."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "stream" and kind == "text/plain":
                found.append(output.text)
            found += [data for name, data in output.get("data", {}).items() if name == kind]
    return found


if __name__ == "__main__":
    print("".join(outputs(execute(read(sys.argv[1]), sys.argv[2]), "text/plain")))
