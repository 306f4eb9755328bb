#!/usr/bin/env python3
"""Writes the image's bill of materials (CycloneDX 1.5): its jars, with their SHA-256, and the crates in its native programs.

Debian's packages are not repeated: the image keeps dpkg's database, which scanners read.
"""

import argparse
import hashlib
import json
import tomllib
from pathlib import Path


def jar(line):
    group, name, version, path = line.split(" ", 3)
    return {
        "type": "library",
        "group": group,
        "name": name,
        "version": version,
        "purl": f"pkg:maven/{group}/{name}@{version}",
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(Path(path).read_bytes()).hexdigest()}],
    }


def crate(package):
    name, version = package["name"], package["version"]
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:cargo/{name}@{version}",
        "hashes": [{"alg": "SHA-256", "content": package["checksum"]}],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bill", type=Path)
    parser.add_argument("--version", required=True)
    parser.add_argument("--jars", type=Path, required=True, help="lines of group, name, version and file")
    parser.add_argument("--crates", type=Path, required=True, help="Cargo.lock")
    options = parser.parse_args()
    packages = tomllib.loads(options.crates.read_text())["package"]
    components = [jar(line) for line in options.jars.read_text().splitlines()]
    components += [crate(package) for package in packages if "checksum" in package]  # the rest is our own
    product = {"type": "container", "name": "tomobasis", "version": options.version}
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": {"component": product}}
    options.bill.parent.mkdir(parents=True, exist_ok=True)
    options.bill.write_text(json.dumps({**bill, "components": components}, indent=1) + "\n")


if __name__ == "__main__":
    main()
