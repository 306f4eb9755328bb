"""What the command line changes in an overlay's SparkApplication: JSON patches (RFC 6902)."""

from pathlib import Path

from kubectl import Failure


def find_overlay(k8s, name):
    """The overlay's folder: one of ours by its name, or the user's own by its path."""
    for folder in (k8s / "overlays" / name, Path(name)):
        if (folder / "kustomization.yaml").is_file():
            return folder.resolve()
    known = sorted(folder.name for folder in (k8s / "overlays").iterdir() if folder.is_dir())
    raise Failure(f"--overlay: no overlay {name!r}; there are {', '.join(known)}, or give the path of your own", 2)


def patches(name, image, executors, conf, job):
    """The operations, in order; without job options the arguments of k8s/values stay."""
    # A retry of this run may replace what an earlier try of it left unfinished, and nothing else.
    properties = {"spark.tomobasis.run": name, **dict(map(setting, conf))}
    changes = [{"op": "replace", "path": "/metadata/name", "value": name}]
    if job:
        changes.append({"op": "replace", "path": "/spec/arguments", "value": job})
    if image:
        changes.append({"op": "replace", "path": "/spec/image", "value": image})
    if executors:
        changes.append({"op": "replace", "path": "/spec/executor/instances", "value": executors})
    for key, value in properties.items():
        changes.append({"op": "add", "path": f"/spec/sparkConf/{escaped(key)}", "value": value})
    return changes


def setting(text):
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise Failure(f"--conf: {text!r} is not KEY=VALUE", 2)
    return key, value


def escaped(key):
    """A name as a step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
