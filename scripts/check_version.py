#!/usr/bin/env python3
"""Compares every place that carries the product's version with Cargo.toml's; prints those that differ and exits 1.

scripts/check_version.py            the version, when all agree
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What a version stands behind, wherever it stands.
IMAGE = re.compile(r"localhost/tomobasis:(\d[\w.+-]*)")
# Files with a form of their own.
PLACES = {
    "CITATION.cff": re.compile(r"^version: (.+)$", re.MULTILINE),
    "k8s/image/Dockerfile": re.compile(r"^ARG VERSION=(.+)$", re.MULTILINE),
}


def product_version(root=ROOT):
    """The version in Cargo.toml, from which crates, jars and the image's label take theirs."""
    return tomllib.loads((root / "Cargo.toml").read_text())["workspace"]["package"]["version"]


def tracked(root):
    names = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout
    return [name for name in names.split("\0") if name]


def differences(root=ROOT):
    """Lines that say where another version stands, and where one is missing."""
    version, found = product_version(root), []
    for name in tracked(root):
        try:
            text = (root / name).read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        carried = IMAGE.findall(text)
        if place := PLACES.get(name):
            own = place.findall(text)
            carried += own
            if not own:
                found.append(f"{name}: no version where one is expected")
        found += [f"{name}: {other}, but Cargo.toml has {version}" for other in carried if other != version]
    missing = PLACES.keys() - set(tracked(root))
    return found + [f"{name}: is missing" for name in sorted(missing)]


if __name__ == "__main__":
    problems = differences()
    print("\n".join(problems) or product_version())
    sys.exit(bool(problems))
