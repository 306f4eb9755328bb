"""The wheel for aarch64, installed as pip installs it there and run by a Python for aarch64 under qemu-user: its digests are those on
record, and those of the wheel for x86-64.

`make test-emulation-aarch64` builds both (tests/run.py aarch64).
"""

import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from golden.cases import CASES
from golden.record import recorded
from running import ROOT

HERE = Path(__file__).parent
WHEELS = sorted((ROOT / "build/manylinux-aarch64").glob("*.whl"))
NATIVE = ROOT / "build/python/bin/python"
SCRIPT = HERE / "wheel_digests.py"
pytestmark = pytest.mark.skipif(
    not (WHEELS and shutil.which("qemu-aarch64") and (ROOT / ".setup/python-aarch64/complete").exists()),
    reason="no wheel for aarch64 here, or no Python: make test-emulation-aarch64 makes both",
)


@pytest.fixture(scope="module")
def wheel():
    (wheel,) = WHEELS
    return wheel


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """The folder that the wheel is installed into; pip refuses it if its tags are not those of the machine."""
    site = tmp_path_factory.mktemp("site")
    subprocess.run([HERE / "pip-aarch64", site, "--no-index", wheel], check=True)
    return site


def test_the_wheel_is_for_every_python_from_3_10_on(wheel):
    assert "-cp310-abi3-" in wheel.name and "manylinux_2_17_aarch64" in wheel.name
    (tags,) = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".dist-info/WHEEL")]
    assert "Tag: cp310-abi3-manylinux_2_17_aarch64" in zipfile.ZipFile(wheel).read(tags).decode()


def test_the_wheel_needs_no_later_c_library_than_its_name_says(site):
    library = site / "tomobasis/_native.abi3.so"
    assert library.read_bytes()[18:20] == (183).to_bytes(2, "little"), "not an ELF file for aarch64"
    said = subprocess.run(["objdump", "-p", library], capture_output=True, text=True).stdout
    said = (
        said
        or subprocess.run(
            ["aarch64-linux-gnu-objdump", "-p", library], check=True, capture_output=True, text=True
        ).stdout
    )
    needed = set(re.findall(r"NEEDED +(\S+)", said))
    assert needed <= {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "ld-linux-aarch64.so.1"}
    versions = {tuple(map(int, version.split("."))) for version in re.findall(r" GLIBC_([0-9.]+)", said)}
    assert versions and max(versions) <= (2, 17)
    assert "GLIBCXX" not in said


def digests(python, path, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(path)}
    run = subprocess.run([python, SCRIPT, *arguments], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-4000:]
    return json.loads(run.stdout)


@pytest.mark.parametrize("case", [CASES[0], CASES[4]], ids=lambda case: case.name)
def test_its_digests_are_those_on_record_and_those_of_x86(case, site, tmp_path):
    case.write(tmp_path / "scan")
    found = digests(HERE / "python-aarch64", site, tmp_path / "scan", tmp_path / "result")
    assert found.pop("machine") == "aarch64"
    assert found["scan"] == recorded()[case.name]
    if not NATIVE.exists():
        pytest.skip("no wheel for x86-64 beside it: scripts/wheel.sh test installs one")
    native = digests(NATIVE, "", tmp_path / "scan", tmp_path / "native")
    assert native.pop("machine") == "x86_64"
    assert found == native
