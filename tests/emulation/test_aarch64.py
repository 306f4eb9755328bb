"""The command cross-built for aarch64, under qemu-user: the digests are those on record.

`make test-emulation-aarch64` builds it (tests/run.py aarch64).
"""

import json
import shutil

import pytest

from golden.cases import CASES, FIXED
from golden.record import difference, digests, recorded
from running import command, start

PROGRAM = command("emulation/aarch64-unknown-linux-gnu/emulation")
QEMU = [shutil.which("qemu-aarch64"), "-L", "/usr/aarch64-linux-gnu"]
pytestmark = pytest.mark.skipif(
    not (QEMU[0] and PROGRAM.exists()), reason="no build for aarch64 here: make test-emulation-aarch64 makes one"
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("kernel", ["neon", "portable"])
def test_aarch64_gives_the_recorded_digests(case, kernel, tmp_path):
    found = digests(case, tmp_path, [*QEMU, PROGRAM, "decompose"], TOMOBASIS_KERNEL=kernel)
    assert not difference(case.name, recorded()[case.name], found)
    run = json.loads((tmp_path / "result/manifest.json").read_text())["run"]
    assert (run["kernel"], run["instruction_set"]) == (kernel, "aarch64")


def test_class_fixed_is_refused_in_one_line(tmp_path):
    FIXED[0].write(tmp_path / "scan")
    job = ["--input", tmp_path / "scan", "--output", tmp_path / "result", *FIXED[0].options]
    run = start([*QEMU, PROGRAM, "decompose", *job])
    assert run.code == 2, run.err
    assert len(run.errors) == 1 and "x86-64 with AVX2 and FMA only" in run.errors[0]
    assert not (tmp_path / "result").exists()
