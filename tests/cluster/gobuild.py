"""Go programs from module releases, whichever way their authors meant them to be built.

`go install PACKAGE@VERSION` refuses modules with `replace` directives, which Kubernetes has. So each program is built in a throw-away
module that requires the release and repeats its replacements; where those lead into the module's own source tree (Kubernetes'
`staging` folders), the release of the same name takes their place.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod -trimpath -buildvcs=false"}


@dataclass(frozen=True)
class Program:
    """Programs of one module.

    packages: {name of the binary: package below the module, "" for the module's root}
    variables: linker variables to set, such as the version that the program reports
    staged_version: release of the modules that live in the module's own tree
    needs: {file that the release lacks: file of the release that serves in its place}
    """

    module: str
    version: str
    packages: dict
    variables: tuple = ()
    staged_version: str = ""
    needs: tuple = ()


def go(*arguments, folder):
    done = subprocess.run(
        ["go", *arguments], cwd=folder, env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"go {' '.join(arguments)}:\n{done.stderr[-2000:]}")
    return done.stdout


def source(program, work):
    """The folder of the module's source, downloaded if need be; a patched copy where the release lacks a file."""
    work.mkdir(parents=True, exist_ok=True)
    folder = Path(json.loads(go("mod", "download", "-json", f"{program.module}@{program.version}", folder="/"))["Dir"])
    if all((folder / missing).exists() for missing, _ in program.needs):
        return folder
    copy = work / "source"
    if not copy.exists():
        shutil.copytree(folder, copy)
        for path in (copy, *copy.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)
    for missing, substitute in program.needs:
        shutil.copy(copy / substitute, copy / missing)
    return copy


def wrapper(program, folder, patched):
    """go.mod of the throw-away module."""
    theirs = json.loads(go("mod", "edit", "-json", str(folder / "go.mod"), folder=folder))
    lines = ["module wrapper", f"go {theirs['Go']}", f"require {program.module} {program.version}"]
    lines += [f"godebug {d['Key']}={d['Value']}" for d in theirs.get("Godebug") or () if d["Key"] != "default"]
    for replacement in theirs.get("Replace") or ():
        old, new = replacement["Old"]["Path"], replacement["New"]
        if new["Path"].startswith("."):
            if not program.staged_version:
                continue  # what the release requires is a release too
            new = {"Path": old, "Version": program.staged_version}
        lines.append(f"replace {old} => {new['Path']} {new['Version']}")
    if patched:
        lines.append(f"replace {program.module} => {folder}")
    return "\n".join(lines) + "\n"


def build(program, work, binaries):
    """Builds what is not built yet; returns the source folder."""
    folder = source(program, work)
    missing = {name: package for name, package in program.packages.items() if not (binaries / name).exists()}
    if missing:
        (work / "go.mod").write_text(wrapper(program, folder, patched=folder.parent == work))
        flags = " ".join(["-s -w", *(f"-X {variable}" for variable in program.variables)])
        for name, package in missing.items():
            path = f"{program.module}/{package}".rstrip("/")
            go("build", "-ldflags", flags, "-o", str(work / name), path, folder=work)
            shutil.move(work / name, binaries / name)
    return folder
