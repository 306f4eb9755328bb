#!/usr/bin/env python3
"""The versions that stand in one file, and the other places that carry them because what reads these can't look there.

    scripts/version.py            prints the product's version; where a place carries another one, names it and exits 1
    scripts/version.py --write    writes them to all places

The product's version stands in `Cargo.toml`: crates, jars, manifest.json, derived DICOM and the image's label take it from there. Written
from there are `CITATION.cff`, `python/Cargo.toml` and what follows `localhost/tomobasis:` anywhere: manifests, properties, pipelines. Spark's stands in
`gradle.properties`; written from there are `requirements.txt`, the SparkApplication and what `bin/tomobasis-submit` says.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NUMBER = r"(\d[\w.+-]*)"
IMAGE = re.compile(rf"localhost/tomobasis:{NUMBER}")
# Files with a form of their own.
PRODUCT = {
    "CITATION.cff": re.compile(rf"^version: {NUMBER}$", re.MULTILINE),
    "python/Cargo.toml": re.compile(rf"^version = \"{NUMBER}(?=\"$)", re.MULTILINE),
}
SPARK = {
    "requirements.txt": re.compile(rf"^pyspark=={NUMBER}$", re.MULTILINE),
    "bin/tomobasis-submit": re.compile(rf"\bpyspark=={NUMBER}"),
    "k8s/base/application.yaml": re.compile(rf"^ *sparkVersion: {NUMBER}$", re.MULTILINE),
}


def product_version(root):
    return tomllib.loads((root / "Cargo.toml").read_text())["workspace"]["package"]["version"]


def spark_version(root):
    (version,) = re.findall(r"^sparkVersion=(.+)$", (root / "gradle.properties").read_text(), re.MULTILINE)
    return version


def tracked(root):
    names = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout
    return [name for name in names.split("\0") if name]


def places(root):
    """Yields (file, its text, pattern whose first group is a version, the right one); a file of its own form also where it is missing."""
    product, spark = product_version(root), spark_version(root)
    for name in tracked(root):
        try:
            text = (root / name).read_text()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        if IMAGE.search(text):
            yield name, text, IMAGE, product
    for own, version in ((PRODUCT, product), (SPARK, spark)):
        for name, pattern in own.items():
            yield name, (root / name).read_text() if (root / name).exists() else "", pattern, version


def differences(root=ROOT):
    """Lines that say where another version stands, and where one is missing."""
    found = []
    for name, text, pattern, version in places(root):
        carried = pattern.findall(text)
        if not carried:
            found.append(f"{name}: no version where one is expected")
        found += [f"{name}: {other}, but it is {version}" for other in carried if other != version]
    return found


def write(root=ROOT):
    """Puts the right version into every place; says which files changed."""
    for name, text, pattern, version in places(root):
        changed = pattern.sub(lambda m, v=version: m[0].removesuffix(m[1]) + v, text)
        if changed != text:
            (root / name).write_text(changed)
            print(name)


def main(arguments):
    if arguments not in ([], ["--write"]):
        sys.exit(f"error: unknown argument {' '.join(arguments)}: use --write, or none")
    if arguments:
        write()
    elif problems := differences():
        sys.exit("\n".join([*problems, "error: versions differ; run scripts/version.py --write"]))
    else:
        print(product_version(ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
