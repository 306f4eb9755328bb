"""A run that is told to stop while it makes its folder, between the owner's file and the folder too, or while it removes it, leaves
nothing beside its output."""

import shutil
import subprocess

import pytest

from running import command, made_scan


def traces():
    """Whether strace is here and may trace."""
    strace = shutil.which("strace")
    return (
        bool(strace) and subprocess.run([strace, "-qq", "-o", "/dev/null", "true"], capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not traces(), reason="strace is not here, or may not trace")
@pytest.mark.parametrize("source", ["scan", "nothing there"])
def test_a_signal_at_any_call_that_makes_or_removes_the_folder_leaves_nothing(source, tmp_path):
    made_scan(tmp_path / "scan", 4, 8, 8)
    usual = (0, {"result"}) if source == "scan" else (3, set())
    between = 0
    for when in range(1, 7):
        out, trace = tmp_path / "out" / "result", tmp_path / "trace"
        calls = f"inject=flock,fcntl,mkdir,mkdirat:signal=SIGINT:when={when}"
        run = ["decompose", "--input", tmp_path / source, "--output", out, "--emit", "parquet", "--threads", "1"]
        strace = ["strace", "-f", "-qq", "-o", trace, "-e", "trace=flock,fcntl,mkdir,mkdirat", "-e", calls]
        done = subprocess.run([*strace, command(), *map(str, run)], capture_output=True, text=True, timeout=300)
        lines = trace.read_text().splitlines()
        stopped = next((line for line in lines if "SIGINT" in line), "")
        at = lines[lines.index(stopped) - 1] if stopped else ""
        between += "result.tmp-" in at or "flock" in at
        left = {path.name for path in out.parent.iterdir()} if out.parent.exists() else set()
        assert (done.returncode, left) in (usual, (130, set()), (130, usual[1])), (when, done, left, at)
        shutil.rmtree(out, ignore_errors=True)
    assert between > 0, "no signal came between the file and the folder"
