"""The SparkApplication that pipelines run, as a Python object: one of k8s/overlays, or that of TOMOBASIS_OVERLAY.

Needs kubectl, for its kustomize, and PyYAML.
"""

import os
import subprocess
from pathlib import Path

import yaml

OVERLAYS = Path(__file__).resolve().parent.parent / "overlays"


def application(name):
    folder = os.environ.get("TOMOBASIS_OVERLAY") or OVERLAYS / name
    built = subprocess.run(["kubectl", "kustomize", folder], check=True, capture_output=True, text=True).stdout
    (document,) = yaml.safe_load_all(built)
    del document["metadata"]["namespace"]  # the pipeline's own
    return document
