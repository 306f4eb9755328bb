"""The command as `cargo install` makes it, by the line of docs/command.md."""

import re
import subprocess

from running import ROOT, made_scan, start


def test_cargo_installs_a_command_that_decomposes_and_verifies(tmp_path):
    [line] = re.findall(r"^    (cargo install .*)$", (ROOT / "docs/command.md").read_text(), re.MULTILINE)
    words = [*line.split(), "--quiet", "--root", str(tmp_path / "root"), "--target-dir", str(tmp_path / "target")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "root/bin").iterdir()] == ["tomobasis"]
    program = tmp_path / "root/bin/tomobasis"
    made_scan(tmp_path / "scan", 6, 20, 30)
    for words in (
        ["decompose", "--input", tmp_path / "scan", "--output", tmp_path / "result"],
        ["verify", tmp_path / "result", "--input", tmp_path / "scan"],
        ["man", tmp_path / "man"],
    ):
        run = start([program, *words])
        assert run.code == 0, run.err
