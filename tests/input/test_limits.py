"""Limits of the process (`ulimit`) and storage that fails: one line of error that names it, exit code 1, nothing left, and never a file that
counts as unreadable though nothing is wrong with it."""

import json
import resource
import shutil
import subprocess
import tarfile
import zipfile

import pytest

from running import Run, command, decompose, made_scan


def under(limit, size, *arguments, stdout=subprocess.PIPE):
    """The command under a limit."""
    done = subprocess.run(
        [command(), *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        preexec_fn=lambda: resource.setrlimit(limit, (size, size)),
    )
    return Run(done.returncode, done.stdout or "", done.stderr)


def refused(run, words):
    assert run.code == 1 and len(run.errors) == 1 and words in run.errors[0], run


@pytest.fixture
def scan(tmp_path):
    for name in ("a", "b/c/d"):
        made_scan(tmp_path / "scan" / name, 8, 16, 24)
    return tmp_path / "scan"


def as_zip(folder, target):
    with zipfile.ZipFile(target, "w") as archive:
        for path in folder.rglob("*.dcm"):
            archive.write(path, path.relative_to(folder))
    return target


def as_tar_gz(folder, target):
    with tarfile.open(target, "w:gz") as archive:
        archive.add(folder, "scan")
    return target


@pytest.mark.parametrize("pack", [None, as_zip, as_tar_gz])
def test_too_few_open_files_end_the_listing(scan, pack, tmp_path):
    source = pack(scan, tmp_path / "archive") if pack else scan
    runs = [under(resource.RLIMIT_NOFILE, files, "inspect", "--json", source) for files in range(4, 40)]
    for run in runs[:-1]:
        if run.code == 0:
            assert run.out == runs[-1].out
        else:
            refused(run, "ulimit -n")
    assert runs[0].code == 1 and runs[-1].code == 0
    assert json.loads(runs[-1].out)["files"]["slices"] == 16


def test_too_few_open_files_for_a_result_leave_nothing_beside_it(scan, tmp_path):
    for files in range(4, 9):
        out = tmp_path / "result"
        run = under(
            resource.RLIMIT_NOFILE, files, "decompose", "--input", scan / "a", "--output", out, "--emit", "parquet"
        )
        if run.code:
            refused(run, "")
        assert {path.name for path in tmp_path.iterdir()} == {"scan"} | ({"result"} if run.code == 0 else set()), (
            files,
            run,
        )
        shutil.rmtree(out, ignore_errors=True)


def test_a_limit_of_the_size_of_files_is_an_error_and_no_signal(scan, tmp_path):
    for size in (0, 1000, 20_000):
        run = under(resource.RLIMIT_FSIZE, size, "decompose", "--input", scan / "a", "--output", tmp_path / "result")
        assert run.code in (1, 2) and len(run.errors) == 1 and "File too large" in run.errors[0], run
        assert [path.name for path in tmp_path.iterdir()] == ["scan"]
    refused(run, "ulimit -f")
    with (tmp_path / "listing").open("w") as file:
        refused(under(resource.RLIMIT_FSIZE, 10, "inspect", scan, stdout=file), "ulimit -f")


def test_a_small_stack_is_said(scan):
    refused(under(resource.RLIMIT_STACK, 64 << 10, "inspect", scan), "ulimit -s")
    assert under(resource.RLIMIT_STACK, 1 << 20, "inspect", scan).code == 0


def test_a_reader_that_goes_away_is_no_failure(scan):
    with subprocess.Popen(
        [command(), "inspect", scan], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        run.stdout.close()
        assert "error" not in run.stderr.read()
    assert run.returncode == 0


def test_a_file_that_the_system_fails_to_read_ends_the_run(scan, tmp_path):
    # The memory of a process at address 0: an input/output error.
    (scan / "a/disk").symlink_to("/proc/self/mem")
    refused(decompose("--input", scan / "a", "--output", tmp_path / "result"), "check the disk")
    assert [path.name for path in tmp_path.iterdir()] == ["scan"]
