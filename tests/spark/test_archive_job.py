"""An archive in one job, where the command has no part: executors, series that are spread, kills, two runs at once, the index."""

import json
import signal
import subprocess
import time

import pytest

from archive import GOOD, SCOUTED, by_slices, index, make_archive
from running import ROOT, decompose, submit, tomobasis

pytestmark = pytest.mark.spark

OPTIONS = ("--rank", "3", "--composite", "2")


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    base = tmp_path_factory.mktemp("archive")
    make_archive(base / "scans")
    run = decompose("--input", base / "scans", "--output", base / "all", "--series", "all", *OPTIONS)
    assert run.code == 3, run.err
    return base / "scans", base / "all"


def roots(output):
    return {row["folder"]: row["root"] for row in index(output) if row["state"] == "done"}


def test_executors_and_series_that_are_spread_change_no_bit(scans, tmp_path):
    folder, command = scans
    words = ("--input", folder, "--output", tmp_path / "tasks", "--series", "all", *OPTIONS)
    run = submit(*words, master="local-cluster[2,1,1024]")
    assert run.code == 3, run.err
    assert "does not fit into one task" not in run.err
    assert roots(tmp_path / "tasks") == roots(command)
    # Too little for any series; the results of the command are kept, all but one.
    kept = by_slices(command)
    for row in kept.values():
        if row["slices"] in (GOOD[0], SCOUTED):
            subprocess.run(["rm", "-r", command / row["folder"]], check=True)
    words = ("--input", folder, "--output", command, "--series", "all", *OPTIONS)
    run = submit(*words, conf=["spark.tomobasis.archive.memory=1m"])
    assert run.code == 3, run.err
    assert run.err.count("does not fit into one task") == len(GOOD) + 1
    rows = by_slices(command)
    assert sorted(slices for slices, row in rows.items() if row["state"] == "done" and not row["kept"]) == [
        GOOD[0],
        SCOUTED,
    ]
    assert {slices: (row["root"], row["fingerprint"]) for slices, row in rows.items()} == {
        slices: (row["root"], row["fingerprint"]) for slices, row in kept.items()
    }
    manifest = json.loads((command / rows[SCOUTED]["folder"] / "manifest.json").read_text())
    assert manifest["run"]["archive"]["fingerprint"] == rows[SCOUTED]["fingerprint"]
    assert "block_partitions" in manifest["run"]
    verified = tomobasis(
        "verify", command / rows[SCOUTED]["folder"], "--input", folder, "--series", rows[SCOUTED]["series"]
    )
    assert verified.code == 0, verified.err
    said = subprocess.run(
        [ROOT / "bin/tomobasis-submit", "--status", command], capture_output=True, text=True, timeout=300
    )
    assert said.returncode == 0 and said.stdout.startswith("series       10: 8 done (6 of them before), 1 failed")


def test_a_killed_run_is_continued_and_two_at_once_leave_one_result_of_each(scans, tmp_path):
    folder, command = scans
    words = ["--input", folder, "--output", tmp_path / "results", "--series", "all", *OPTIONS]
    job = [ROOT / "bin/tomobasis-submit", "--master", "local[1]", "--", *words]

    def start():
        return subprocess.Popen([str(word) for word in job], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    killed = start()
    deadline = time.monotonic() + 240
    while not list((tmp_path / "results").glob("series-*/_SUCCESS")):
        assert time.monotonic() < deadline and killed.poll() is None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    there = {path.parent.name for path in (tmp_path / "results").glob("series-*/_SUCCESS")}
    runs = [start(), start()]
    for run in runs:
        out, err = run.communicate(timeout=280)
        assert run.returncode == 3, err
        assert "8 done" in out, out
    assert roots(tmp_path / "results") == roots(command)
    assert all(row["kept"] for row in index(tmp_path / "results") if row["folder"] in there)
    folders = {path.name for path in (tmp_path / "results").iterdir() if ".tmp-" not in path.name}
    assert folders == {"index.parquet", *roots(command)}
