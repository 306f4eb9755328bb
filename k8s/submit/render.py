"""What the command line changes in an overlay's SparkApplication: patches for kustomize."""

import json
from pathlib import Path

import fields
from kubectl import Failure

IMAGE, EXECUTORS = "spark.kubernetes.container.image", "spark.executor.instances"


def find_overlay(k8s, name):
    """The overlay's folder: one of ours by its name, or the user's own by its path."""
    for folder in (k8s / "overlays" / name, Path(name)):
        if (folder / "kustomization.yaml").is_file():
            return folder.resolve()
    known = sorted(folder.name for folder in (k8s / "overlays").iterdir() if folder.is_dir())
    raise Failure(f"--overlay: no overlay {name!r}; there are {', '.join(known)}, or give the path of your own", 2)


def properties(name, image, executors, conf):
    """All that is set, as properties of Spark."""
    options = {"--image": (IMAGE, image), "--executors": (EXECUTORS, executors)}
    given = dict(map(setting, conf))
    for option, (key, value) in options.items():
        if value and key in given:
            raise Failure(f"--conf {key} and {option} set the same; give one of them", 2)
    # A retry of this run may replace what an earlier try of it left unfinished, and nothing else.
    ours = {"spark.tomobasis.run": name, **{key: str(value) for key, value in options.values() if value}}
    return {**ours, **given}


def patches(name, properties, job):
    """The patches, in order; without job options the arguments of k8s/values stay."""
    spec = fields.merged(fields.place(key, value) for key, value in properties.items())
    if job:
        spec["arguments"] = job
    application = {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "metadata": {"name": "any"},
    }
    changes = [
        patch({**application, "spec": spec}),
        patch([{"op": "replace", "path": "/metadata/name", "value": name}]),
    ]
    if EXECUTORS in properties:  # where executors come and go, it is how many there may be
        most = {"dynamicAllocation": {"maxExecutors": spec["executor"]["instances"]}}
        changes.insert(0, patch({**application, "spec": most}, labelSelector="tomobasis.io/resource-profiles=decode"))
    return changes


def patch(change, **selected):
    return {"target": {"kind": "SparkApplication", **selected}, "patch": json.dumps(change)}


def setting(text):
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise Failure(f"--conf: {text!r} is not KEY=VALUE", 2)
    return key, value
