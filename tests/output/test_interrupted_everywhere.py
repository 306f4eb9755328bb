"""Ctrl-C at any moment of any command that writes: it says so, ends with 130, and leaves nothing behind."""

import json
import shutil
import signal
import subprocess
import time

import pytest

from running import command, decompose, made_scan

# Fractions of the time that a whole run takes, at which the signal comes.
MOMENTS = [0.1, 0.3, 0.5, 0.7, 0.85, 0.95]


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A scan that is large enough to be interrupted in, and its result."""
    base = tmp_path_factory.mktemp("interrupted")
    made_scan(base / "scan", slices=40, rows=160, columns=160)
    run = decompose("--input", base / "scan", "--output", base / "result", "--composite", "5,20")
    assert run.code == 0, run.err
    return base / "scan", base / "result"


COMMANDS = {
    "decompose": ["decompose", "--input", "SCAN", "--output", "OUT/new", "--emit", "parquet,png,report,dicom"],
    "denoise": ["denoise", "--input", "SCAN", "--output", "OUT/new", "--quality", "fast"],
    "render": ["render", "RESULT", "--input", "SCAN", "--output", "OUT/new", "--slice", "1,10,20,30,40"],
    "render into a folder": ["render", "RESULT", "--output", "OUT", "--as", "scroll", "--view", "coronal"],
    "verify": ["verify", "RESULT", "--input", "SCAN"],
    "certify": ["certify", "RESULT", "--input", "SCAN", "--output", "OUT/new"],
    "attest": ["attest", "RESULT", "--as", "in-toto", "--output", "OUT/new.json"],
    "compare": ["compare", "SCAN", "SCAN", "--html", "OUT/new.html"],
    "reference": ["reference", "OUT/new"],
    "man": ["man", "OUT"],
    "inspect": ["inspect", "SCAN"],
}


def words(arguments, case, out):
    places = {"SCAN": case[0], "RESULT": case[1]}
    return [str(places.get(word, word)).replace("OUT", str(out)) for word in map(str, arguments)]


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_signal_at_any_time_leaves_nothing(name, case, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("mine")
    run = [command(), *words(COMMANDS[name], case, out), "--json", "--threads", "1"]
    if name in ("man", "inspect"):
        run = run[:-2]
    began = time.monotonic()
    done = subprocess.run(run, capture_output=True, text=True)
    whole, written = time.monotonic() - began, names(out)
    assert done.returncode == 0, done.stderr
    interrupted = 0
    for moment in MOMENTS:
        shutil.rmtree(out)
        out.mkdir()
        (out / "mine").write_text("mine")
        process = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(moment * whole)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode in (0, 130, -signal.SIGINT), (moment, process.returncode, err)
        if process.returncode == 130:
            interrupted += 1
            error = json.loads(err.splitlines()[-1])["error"]
            assert (error["kind"], error["exit_code"]) == ("interrupted", 130)
            assert names(out) in (["mine"], written), (moment, names(out), err)
        elif process.returncode == 0:
            assert names(out) == written, (moment, err)
        else:  # before it had looked at its command line
            assert names(out) == ["mine"], (moment, names(out))
    if whole > 0.3:
        assert interrupted > 0, whole
