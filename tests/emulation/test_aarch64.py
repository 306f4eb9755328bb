"""The command cross-built for aarch64, under qemu-user: the digests are those on record.

`make test-emulation-aarch64` builds it (tests/run.py aarch64).
"""

import json
import shutil

import pytest

from golden.cases import CASES, FIXED
from golden.record import difference, digests, recorded
from running import command

PROGRAM = command("emulation/aarch64-unknown-linux-gnu/emulation")
QEMU = [shutil.which("qemu-aarch64"), "-L", "/usr/aarch64-linux-gnu"]
pytestmark = pytest.mark.skipif(
    not (QEMU[0] and PROGRAM.exists()), reason="no build for aarch64 here: make test-emulation-aarch64 makes one"
)


RUNS = [(case, kernel) for case in CASES for kernel in ("neon", "portable")] + [(case, "neon") for case in FIXED]


@pytest.mark.parametrize(("case", "kernel"), RUNS, ids=lambda value: getattr(value, "name", value))
def test_aarch64_gives_the_recorded_digests(case, kernel, tmp_path):
    found = digests(case, tmp_path, [*QEMU, PROGRAM, "decompose"], TOMOBASIS_KERNEL=kernel)
    assert not difference(case.name, recorded()[case.name], found)
    run = json.loads((tmp_path / "result/manifest.json").read_text())["run"]
    assert (run["kernel"], run["instruction_set"]) == (kernel, "aarch64")
