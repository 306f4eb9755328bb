"""Too little memory: one line of error, whatever is running, and nothing left beside the output."""

import json
import os
import re
import shutil
from functools import cache
from pathlib import Path

import pytest

from limited import ladder, limited
from running import decompose, made_scan, tomobasis

METHODS = {"gram": [], "tsqr": ["--method", "tsqr"], "dssvd": ["--method", "dssvd", "--rank", "8"]}
# A quarter more at each step; `make test-faults` takes smaller ones.
FACTOR = float(os.environ.get("TOMOBASIS_MEMORY_STEP", "1.25"))


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """48 slices of 192 x 192, and what each method makes of it where there is memory."""
    base = tmp_path_factory.mktemp("scan")
    made_scan(base / "scan", slices=48, rows=192, columns=192)

    @cache
    def result(method):
        run = decompose("--input", base / "scan", "--output", base / method, *METHODS[method])
        assert run.code == 0, run.err
        return base / method

    return base / "scan", result


def root(folder):
    return json.loads((folder / "manifest.json").read_text())["digests"]["root"]


@pytest.mark.parametrize("method", METHODS)
def test_a_decomposition_is_right_or_one_error_whatever_memory_there_is(method, scan, tmp_path):
    folder, result = scan
    output = tmp_path / "out/result"
    given = ["decompose", "--input", folder, "--output", output, "--threads", "3", "--emit", "parquet,png,dicom"]

    def nothing_left():
        # What a run left when it had no memory even to clean up is known to the next.
        left = sorted(path.name for path in output.parent.iterdir()) if output.parent.exists() else []
        assert all(name == "result" or name.startswith("result.tmp-") for name in left), left
        if output.exists():
            assert root(output) == root(result(method))
            shutil.rmtree(output)

    ladder([*given, *METHODS[method]], FACTOR, nothing_left)
    assert [path.name for path in output.parent.iterdir()] == ["result"]
    assert root(output) == root(result(method))


@pytest.mark.parametrize("command", ["inspect", "verify", "render", "compare"])
def test_other_commands_are_right_or_one_error_whatever_memory_there_is(command, scan, tmp_path):
    folder, result = scan
    given = {
        "inspect": ["inspect", folder],
        "verify": ["verify", result("gram"), "--input", folder, "--threads", "3"],
        "render": ["render", result("gram"), "--input", folder, "--output", tmp_path / "new", "--threads", "3"],
        "compare": ["compare", result("gram"), result("gram"), "--threads", "3"],
    }[command]
    done = ladder(given, FACTOR, lambda: shutil.rmtree(tmp_path / "new", ignore_errors=True))
    assert all(run.out == done[-1][1].out for _, run in done if run.code == 0)
    if command == "render":
        names = ("composites.png", "differences.png", "basis.png", "spectrum.png")
        for name in names:
            assert (tmp_path / "new" / name).read_bytes() == (result("gram") / "pictures" / name).read_bytes()


@pytest.mark.parametrize(
    ("command", "says"),
    [("1025", "1025 is not in 0..=1024"), ("1000000", "1000000 is not in 0..=1024"), ("-1", "--threads")],
)
def test_more_threads_than_any_machine_has_cores_are_refused(command, says, scan, tmp_path):
    run = tomobasis("decompose", "--input", scan[0], "--output", tmp_path / "result", f"--threads={command}")
    assert (run.code, len(run.errors)) == (2, 1), run.err
    assert "--threads" in run.errors[0] and says in run.errors[0]


def test_threads_without_room_for_their_stacks_are_refused_before_they_start(scan, tmp_path):
    given = ["decompose", "--input", scan[0], "--output", tmp_path / "result", "--threads", "1000"]
    run = limited(*given, gigabytes=1)
    assert run.code == 1 and len(run.errors) == 1, run.err
    assert "--threads: 1000 threads need 2.17 GB of memory to start, and " in run.errors[0]
    assert "are left under the limit of its address space (ulimit -v)" in run.errors[0]
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def control_group(request):
    """Makes a control group of a controller (version 1), which what is run in it joins; two levels, the limit at the upper one."""
    made = []

    def make(controller, name, value):
        upper = Path("/sys/fs/cgroup") / controller / f"tomobasis-test-{os.getpid()}"
        lower = upper / "inner"
        try:
            lower.mkdir(parents=True)
            made.extend([lower, upper])
            (upper / name).write_text(str(value))
        except OSError as error:
            pytest.skip(f"no control group can be made here ({error})")
        return lambda: (lower / "cgroup.procs").write_text(str(os.getpid()))

    yield make
    for folder in made:
        folder.rmdir()


def test_threads_that_the_system_refuses_are_one_error(scan, control_group):
    run = limited("inspect", scan[0], before=control_group("pids", "pids.max", 1))
    assert run.code == 1 and len(run.errors) == 1, run.err
    assert run.errors[0].startswith("error: cannot start the worker threads (")
    assert "fewer with --threads" in run.errors[0]


def test_a_container_that_is_too_small_is_refused_before_its_processes_are_killed(scan, control_group, tmp_path):
    join = control_group("memory", "memory.limit_in_bytes", 16 << 20)
    given = ["decompose", "--input", scan[0], "--output", tmp_path / "result", "--threads", "2"]
    run = limited(*given, before=join)
    assert run.code == 1 and len(run.errors) == 1, run
    assert "are left under the limit of its container (cgroup)" in run.errors[0]
    assert list(tmp_path.iterdir()) == []


def test_what_an_error_says_to_give_is_enough(scan, tmp_path):
    given = ["decompose", "--input", scan[0], "--output", tmp_path / "result", "--emit", "parquet"]
    refused = limited(*given, "--threads", "16", gigabytes=0.15)
    assert refused.code == 1 and len(refused.errors) == 1, refused.err
    (threads,) = re.findall(r"--threads (\d+)", refused.errors[0])
    assert 1 <= int(threads) < 16, refused.errors
    assert limited(*given, "--threads", threads, gigabytes=0.15).code == 0
