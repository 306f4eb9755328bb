#!/usr/bin/env python3
"""Writes the licenses of what is linked into the shared library: a list of the crates with the names of their licenses, and the texts.

    scripts/licenses.py FOLDER         FOLDER/LINKED.txt and FOLDER/LICENSES.txt
    scripts/licenses.py --zig FOLDER   with the C++ runtime that zig links in

The texts are those that the crates carry, with the C and C++ libraries that some of them hold; each text stands once, under all that
have it.
"""

import argparse
import importlib.util
import json
import re
import subprocess
import sys
from operator import itemgetter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "tomobasis-jni"
TARGETS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
NAMES = re.compile(r"^(licen[cs]e|copying|copyright|notice|unlicense)([-_.].*)?$", re.IGNORECASE)
# Sources, and texts in formats of their own.
NO_TEXTS = {".rs", ".c", ".h", ".py", ".rtf", ".html", ".json", ".toml", ".cmake"}
DEEPEST = 3


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def linked():
    """What cargo says of the packages that are linked in, without our own, sorted by name and version."""
    packages, chosen = {}, set()
    for target in TARGETS:
        tree = ("--package", PACKAGE, "--edges", "normal,no-proc-macro", "--target", target, "--prefix", "none")
        lines = cargo("tree", "--locked", *tree, "--format", "{p}").splitlines()
        chosen |= {tuple(line.split()[:2]) for line in lines if line and "(/" not in line}
        metadata = cargo("metadata", "--locked", "--format-version=1", "--filter-platform", target)
        packages |= {(one["name"], f"v{one['version']}"): one for one in json.loads(metadata)["packages"]}
    return [packages[key] for key in sorted(chosen)]


def texts(folder):
    """The license files of a package, and of libraries in its folders."""
    files = [path for path in sorted(folder.rglob("*")) if len(path.relative_to(folder).parts) <= DEEPEST]
    named = [path for path in files if path.is_file() and NAMES.match(path.name) and path.suffix not in NO_TEXTS]
    return [path.read_text(errors="replace").strip() for path in named]


def of_zig():
    """The runtime of C++ and of the compiler, with its texts, as the Python package `ziglang` carries it."""
    spec = importlib.util.find_spec("ziglang")
    if spec is None:
        sys.exit("error: the Python package ziglang is not installed; run scripts/setup.sh test")
    folder = Path(spec.origin).parent
    found = [
        folder / "LICENSE",
        *(folder / "lib" / name / "LICENSE.TXT" for name in ("libcxx", "libcxxabi", "libunwind")),
    ]
    return [path.read_text(errors="replace").strip() for path in found if path.exists()]


def of_rust():
    """What the standard library of Rust is under."""
    sysroot = Path(
        subprocess.run(["rustc", "--print", "sysroot"], check=True, capture_output=True, text=True).stdout.strip()
    )
    folder = sysroot / "share/doc/rust/licenses"
    names = [folder / name for name in ("MIT.txt", "Apache-2.0.txt", "BSD-2-Clause.txt", "Unicode-3.0.txt")]
    return [path.read_text(errors="replace").strip() for path in names if path.exists()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--zig", action="store_true")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    lines, by_text, without = [], {}, []

    def add(name, carried):
        for text in carried:
            by_text.setdefault(text, []).append(name)

    for package in linked():
        license = package["license"] or "see LICENSES.txt"
        lines.append(f"{package['name']} v{package['version']}: {license}")
        name, carried = f"{package['name']} {package['version']}", texts(Path(package["manifest_path"]).parent)
        add(name, carried)
        if not carried:
            without.append(f"{name}: {license}; by {', '.join(package['authors']) or 'its contributors'}")
    add("The standard library of Rust, by the Rust Project contributors", of_rust())
    if options.zig:
        add("The runtimes of C and C++, by the LLVM project and the contributors of Zig", of_zig())
    rule = "\n\n" + "=" * 100 + "\n"
    parts = [
        f"{', '.join(dict.fromkeys(names))}\n\n{text}\n" for text, names in sorted(by_text.items(), key=itemgetter(1))
    ]
    if without:
        parts.insert(0, "Packages that name their license and carry no text:\n\n" + "\n".join(without) + "\n")
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "LINKED.txt").write_text("\n".join(lines) + "\n")
    (options.folder / "LICENSES.txt").write_text(rule.join(parts))


if __name__ == "__main__":
    main()
