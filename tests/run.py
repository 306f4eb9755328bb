#!/usr/bin/env python3
"""Runs every test of the default tier, cheap checks first, and adds up what the runners report.

    tests/run.py                all suites; the last line is "N passed, N failed[, N skipped]"
    tests/run.py lint rust      only these: lint, build, rust, jvm, e2e, python, emulation; on request: aarch64

A suite that ran nothing has failed: a test that is not wired in looks like one that passes.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from reports import Count, from_cargo, from_junit, results_of

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".venv/bin"
REPORTS = ROOT / "build/test-reports"
NEWEST_CLIPPY = 96  # of Rust 1.96, Debian's
# Two: while one test waits for a JVM or the disk, another computes. A file is one worker's, so that what its tests share is made once.
TWO_WORKERS = f"--numprocesses {min(2, len(os.sched_getaffinity(0)))} --dist loadfile --no-loadscope-reorder".split()
DICOM_RS = "--release --package tomobasis-dicom --features dicom-object --locked".split()


def run(*command, **environment):
    """Runs a command, its output shown as it comes; returns (exit code, output)."""
    print(f"\n$ {' '.join(map(str, command))}", flush=True)
    lines = []
    with subprocess.Popen(
        [str(c) for c in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def available(*command):
    return shutil.which(command[0]) and subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


def checks(commands):
    """One check per command: passed when it exits 0; skipped, with a message, when its tool is not installed."""
    total = Count()
    for probe, command, environment in commands:
        if not available(*probe):
            print(f"\nskipped: {' '.join(map(str, command))} ({probe[0]} {probe[1]} is not installed)")
            total += Count(skipped=1)
            continue
        code, _ = run(*command, **environment)
        total += Count(passed=code == 0, failed=code != 0)
    return total


def clippy_denies():
    """Arguments that make warnings errors; none for a later clippy, whose new lints this code has not seen."""
    said = subprocess.run(["cargo", "clippy", "--version"], cwd=ROOT, capture_output=True, text=True).stdout
    version = re.match(r"clippy 0\.1\.(\d+)", said)
    return ["--", "-D", "warnings"] if version and int(version.group(1)) <= NEWEST_CLIPPY else []


def lint():
    scripts = [p for folder in ("scripts", "bin", ".ci") for p in (ROOT / folder).iterdir() if p.is_file()]
    scripts = sorted(p for p in scripts if p.suffix != ".py")
    scripts += sorted(p for folder in ("k8s", "tests") for p in (ROOT / folder).rglob("*.sh"))
    ruff, shellcheck = TOOLS / "ruff", TOOLS / "shellcheck"
    deny = clippy_denies()
    clippy = ["cargo", *"clippy --release --workspace --all-targets --locked --quiet".split(), *deny]
    of_dicom_rs = ["cargo", "clippy", *DICOM_RS, "--all-targets", "--quiet", *deny]
    # In the folder of the others: what both have is compiled once.
    folder = ["--manifest-path", "python/Cargo.toml", "--target-dir", "target"]
    of_python = ["cargo", "clippy", "--release", *folder, "--locked", "--quiet", *deny]
    doc = "cargo doc --release --workspace --no-deps --locked --quiet".split()
    return {
        "lint": checks(
            [
                (("cargo", "fmt", "--version"), ("cargo", "fmt", "--all", "--check"), {}),
                (
                    ("cargo", "fmt", "--version"),
                    ("cargo", "fmt", "--manifest-path", "python/Cargo.toml", "--check"),
                    {},
                ),
                ((TOOLS / "python", "--version"), (TOOLS / "python", ROOT / "scripts/prose.py"), {}),
                ((ruff, "--version"), (ruff, "check", "."), {}),
                ((ruff, "--version"), (ruff, "format", "--check", "."), {}),
                ((shellcheck, "--version"), (shellcheck, *scripts), {}),
                (("gradle", "--version"), ("gradle", "--no-daemon", "--quiet", "scalafmtCheck"), {}),
                (("cargo", "clippy", "--version"), clippy, {}),
                (("cargo", "clippy", "--version"), of_dicom_rs, {}),
                (("cargo", "clippy", "--version"), of_python, {}),
                (("cargo", "--version"), doc, {"RUSTDOCFLAGS": "-D warnings"}),
            ]
        )
    }


def build():
    return {"build": checks([(("make", "--version"), ("make", "--no-print-directory", "build"), {})])}


def crates():
    """Names of the libraries and programs of the workspace that can hold tests (the JNI library is tested from Java)."""
    metadata = ("cargo", "metadata", "--no-deps", "--locked", "--format-version", "1")
    packages = json.loads(subprocess.run(metadata, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)["packages"]
    targets = [target for package in packages for target in package["targets"]]
    return [target["name"] for target in targets if target["test"] and target["kind"] in (["lib"], ["bin"])]


def rust():
    code, output = run("cargo", "test", "--release", "--workspace", "--locked", "--no-fail-fast")
    counts = dict.fromkeys(crates(), Count()) | from_cargo(output)
    if code != 0 and not any(c.failed for c in counts.values()):
        counts["cargo test"] = Count(failed=1)  # did not compile, or a test took its process down
    return counts | {"against dicom-rs": dicom_rs()}


def dicom_rs():
    """The reader of DICOM against dicom-rs, and the feature that converts its objects: a build of its own (native/dicom/Cargo.toml)."""
    tests, documentation = ("--test", "dicom_objects"), ("--doc", "object")
    runs = [run("cargo", "test", *DICOM_RS, *chosen) for chosen in (tests, documentation)]
    count = sum((results_of(output) for _, output in runs), Count())
    if any(code != 0 for code, _ in runs) and not count.failed:
        count += Count(failed=1)
    return count


def jvm():
    folders = {"jvm": ROOT / "jvm/build/junit"}
    folders |= {name: ROOT / name / "build/scalatest" for name in ("spark-api", "spark-job")}
    for folder in folders.values():
        shutil.rmtree(folder, ignore_errors=True)
    code, _ = run("gradle", "--no-daemon", "--quiet", "--parallel", "--continue", "check")
    counts = {name: from_junit(folder) for name, folder in folders.items()}
    if code != 0 and not any(c.failed for c in counts.values()):
        counts["gradle check"] = Count(failed=1)
    return counts


def pytest(name, *arguments, python=TOOLS / "python"):
    report = REPORTS / name
    shutil.rmtree(report, ignore_errors=True)
    code, _ = run(python, "-m", "pytest", *arguments, f"--junitxml={report / 'pytest.xml'}")
    count = from_junit(report)
    return count if code in (0, 1) else count + Count(failed=1)


def e2e():
    of = ("tests", "--ignore", "tests/emulation", "-m")
    return {"e2e": pytest("e2e", *of, "not alone", *TWO_WORKERS), "e2e (alone)": pytest("e2e-alone", *of, "alone")}


def python():
    """The Python package: the wheel that is shipped is built and installed into a new environment, in which its tests run; and
    those of arrays and bad input with a build that a panic ends."""
    if run("scripts/wheel.sh", "test")[0] != 0 or run("scripts/wheel.sh", "abort")[0] != 0:
        return {"python": Count(failed=1)}
    # In Python's development mode: more checks, and a traceback of what crashes.
    os.environ["PYTHONDEVMODE"] = "1"
    try:
        aborting = [ROOT / f"tests/python/test_python_{name}.py" for name in ("arrays", "floats", "scans", "state")]
        return {
            "python": pytest("python", "tests/python", *TWO_WORKERS, python=ROOT / "build/python/bin/python"),
            "python (abort)": pytest("python-abort", *aborting, python=ROOT / "build/python-abort/bin/python"),
        }
    finally:
        del os.environ["PYTHONDEVMODE"]


def emulation():
    """On other x86-64 CPUs. Where qemu cannot be had, pytest skips each test with a line that says so."""
    run("tests/emulation/setup.sh", "x86")
    return {"emulation": pytest("emulation", "tests/emulation/test_x86.py")}


def aarch64():
    """The command, the kernels' own tests and the wheel, cross-built for aarch64: minutes of compiling, so only on request."""
    cargo, profile = "tests/emulation/cargo-aarch64", "--profile emulation --locked"
    for command in (
        ["tests/emulation/setup.sh", "aarch64"],
        ["tests/emulation/setup.sh", "python"],
        ["scripts/wheel.sh", "aarch64"],
        ["scripts/wheel.sh", "test"],  # that of this machine, to compare with
        [cargo, *f"build {profile} -p tomobasis-cli".split()],
    ):
        if run(*command)[0] != 0:
            return {"aarch64": Count(failed=1)}
    code, output = run(cargo, *f"test {profile} -p tomobasis-linalg --lib".split())
    count = sum(from_cargo(output).values(), Count())
    if code != 0 and not count.failed:
        count += Count(failed=1)
    return {
        "linalg on aarch64": count,
        "aarch64": pytest("aarch64", "tests/emulation", "--ignore", "tests/emulation/test_x86.py"),
    }


SUITES = {
    "lint": lint,
    "build": build,
    "rust": rust,
    "jvm": jvm,
    "e2e": e2e,
    "python": python,
    "emulation": emulation,
}
ON_REQUEST = {"aarch64": aarch64}
MAY_BE_SKIPPED = {"emulation"}


def main(chosen):
    suites = SUITES | ON_REQUEST
    if unknown := set(chosen) - set(suites):
        sys.exit(f"error: unknown suite {', '.join(sorted(unknown))}: choose from {', '.join(suites)}")
    counts = {}
    for name in chosen or SUITES:
        started = time.monotonic()
        counts |= suites[name]()
        print(f"\n-- {name}: {time.monotonic() - started:.0f} s", flush=True)
        if name == "build" and counts["build"].failed:
            print("nothing more can run until it builds")
            break
    print()
    total = Count()
    for name, count in counts.items():
        if count.ran == 0 and not (name in MAY_BE_SKIPPED and count.skipped):
            count += Count(failed=1)
            print(f"{name}: FAILED, no test ran")
        else:
            print(f"{name}: {count}")
        total += count
    print(total)
    return int(total.failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
