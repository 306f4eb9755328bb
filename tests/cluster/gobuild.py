"""Go programs from module releases, whichever way their authors meant them to be built.

`go install PACKAGE@VERSION` refuses modules with `replace` directives. So each program is built in a throw-away module that requires the
release and repeats its replacements, but for those that lead into the release's own source tree.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass

ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod -trimpath -buildvcs=false"}


@dataclass(frozen=True)
class Program:
    """Programs of one module; packages: {name of the binary: package below the module}."""

    module: str
    version: str
    packages: dict


def go(*arguments, folder):
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(["go", *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"go {' '.join(arguments)}:\n{done.stderr[-2000:]}")
    return done.stdout


def wrapper(program):
    """go.mod of the throw-away module."""
    folder = json.loads(go("mod", "download", "-json", f"{program.module}@{program.version}", folder="/"))["Dir"]
    theirs = json.loads(go("mod", "edit", "-json", f"{folder}/go.mod", folder="/"))
    lines = ["module wrapper", f"go {theirs['Go']}", f"require {program.module} {program.version}"]
    for replacement in theirs.get("Replace") or ():
        old, new = replacement["Old"]["Path"], replacement["New"]
        if not new["Path"].startswith("."):
            lines.append(f"replace {old} => {new['Path']} {new['Version']}")
    return "\n".join(lines) + "\n"


def build(program, work, binaries):
    """Builds what is not built yet."""
    missing = {name: package for name, package in program.packages.items() if not (binaries / name).exists()}
    if missing:
        work.mkdir(parents=True, exist_ok=True)
        (work / "go.mod").write_text(wrapper(program))
        for name, package in missing.items():
            go("build", "-ldflags", "-s -w", "-o", str(work / name), f"{program.module}/{package}", folder=work)
            shutil.move(work / name, binaries / name)
