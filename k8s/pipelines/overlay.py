"""What pipelines take from the manifests: the SparkApplication, of one of k8s/overlays or of TOMOBASIS_OVERLAY, and the values.

Needs kubectl, for its kustomize, and PyYAML.
"""

import os
import subprocess
from pathlib import Path

import yaml

K8S = Path(__file__).resolve().parent.parent
VALUES = yaml.safe_load((K8S / "values/values.yaml").read_text())["data"]


def application(name):
    folder = os.environ.get("TOMOBASIS_OVERLAY") or K8S / "overlays" / name
    built = subprocess.run(["kubectl", "kustomize", folder], check=True, capture_output=True, text=True).stdout
    (document,) = yaml.safe_load_all(built)
    del document["metadata"]["namespace"]  # the pipeline's own
    return document
