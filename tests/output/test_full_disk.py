"""A disk without room under the output: a real one, mounted for the test."""

import os
import shutil
import subprocess
from contextlib import suppress

import pytest

from results import same
from running import command, decompose, submit


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 KiB, less than the tables of the synthetic scan."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root mounts a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here ({mounted.stderr.strip()})")
    yield disk
    subprocess.run(["umount", disk], check=True)


EACH = pytest.mark.parametrize(
    ("run", "says"),
    [
        pytest.param(decompose, "No space left on device", id="command"),
        pytest.param(submit, "the disk is full", id="job", marks=pytest.mark.spark),
    ],
)


@EACH
def test_a_full_disk_is_one_line_that_says_so_and_leaves_nothing(run, says, made, small_disk):
    done = run("--input", made.folder, "--output", small_disk / "result")
    assert done.code == 1, done.err
    assert len(done.errors) == 1 and says in done.errors[0], done.err
    assert ".parquet: cannot be written" in done.errors[0]
    assert str(small_disk) not in done.err
    assert list(small_disk.iterdir()) == []


@EACH
def test_a_disk_that_is_full_before_the_run_is_a_failure_of_the_run_and_no_wrong_option(run, says, made, small_disk):
    with (small_disk / "fill").open("wb", buffering=0) as fill, suppress(OSError):
        while fill.write(bytes(4096)):
            pass
    done = run("--input", made.folder, "--output", small_disk / "result")
    assert done.code == 1 and len(done.errors) == 1, done.err
    assert f"--output: cannot write there ({says}" in done.errors[0], done.err
    assert str(small_disk) not in done.err
    assert [path.name for path in small_disk.iterdir()] == ["fill"]


def test_messages_that_cannot_be_written_end_no_run(made, tmp_path):
    with open("/dev/full", "w") as full:
        for arguments in (
            ("decompose", "--input", made.folder, "--output", tmp_path / "r"),
            ("inspect", made.folder),
            ("verify", tmp_path / "r", "--input", made.folder),
        ):
            done = subprocess.run([command(), *arguments], stdout=subprocess.PIPE, stderr=full, check=False)
            assert done.returncode == 0, arguments
    same(tmp_path / "r", made.result)
