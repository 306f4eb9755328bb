"""The command on x86-64 CPUs that this machine is not, by qemu-user: the digests are those on record.

qemu has no AVX-512, so whatever this machine has, these runs are without it.
"""

import shutil

import pytest

from golden.cases import CASES, FIXED
from golden.record import difference, digests, recorded
from running import command, start

QEMU = shutil.which("qemu-x86_64")
pytestmark = pytest.mark.skipif(not QEMU, reason="qemu-x86_64 is not installed (Debian: qemu-user)")

NAMES = ["16 bits unsigned, whole range", "decimal slopes", "graded slices"]


def emulated(model):
    """`tomobasis decompose` on a CPU model of qemu."""
    return [QEMU, "-cpu", model, command(), "decompose"]


@pytest.mark.parametrize("case", [c for c in CASES if c.name in NAMES], ids=lambda case: case.name)
@pytest.mark.parametrize("kernel", ["avx2", "portable"])
def test_a_cpu_without_avx512_gives_the_recorded_digests(case, kernel, tmp_path):
    found = digests(case, tmp_path, emulated("Haswell"), TOMOBASIS_KERNEL=kernel)
    assert not difference(case.name, recorded()[case.name], found)
    assert f'"kernel": "{kernel}"' in (tmp_path / "result/manifest.json").read_text()


@pytest.mark.parametrize("case", FIXED, ids=lambda case: case.name)
def test_class_fixed_has_the_recorded_digests_without_avx512(case, tmp_path):
    assert not difference(case.name, recorded()[case.name], digests(case, tmp_path, emulated("Haswell")))


@pytest.mark.parametrize("model", ["Nehalem", "Haswell,-fma", "Haswell,-avx2"])
def test_a_cpu_without_fused_multiply_add_or_avx2_is_refused_in_one_line(model, tmp_path):
    CASES[0].write(tmp_path / "scan")
    run = start([*emulated(model), "--input", tmp_path / "scan", "--output", tmp_path / "result"])
    assert run.code == 1, run.err
    assert len(run.errors) == 1 and "fused multiply-add" in run.errors[0]
    assert not (tmp_path / "result").exists()


def test_a_kernel_that_the_cpu_lacks_is_refused(tmp_path):
    CASES[0].write(tmp_path / "scan")
    job = ["--input", tmp_path / "scan", "--output", tmp_path / "result"]
    run = start([*emulated("Haswell"), *job], TOMOBASIS_KERNEL="avx512")
    assert run.code == 1, run.err
    assert "TOMOBASIS_KERNEL=avx512: not a kernel that this machine can run" in run.errors[0]
    assert not (tmp_path / "result").exists()
