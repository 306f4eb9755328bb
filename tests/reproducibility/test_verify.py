"""`tomobasis verify` and `compare`: exit 0 only when every bit is the same, else 4 and the first difference."""

import json
import shutil
import sys

import pytest

from results import flip_last_bit
from running import ROOT, made_scan, start, tomobasis


@pytest.fixture
def copy(made, tmp_path):
    return shutil.copytree(made.result, tmp_path / "copy")


def test_a_result_verifies_against_its_scan(made):
    run = tomobasis("verify", made.result, "--input", made.folder)
    assert run.code == 0, run.err


@pytest.mark.parametrize(("file", "column"), [("basis/part-00002.parquet", "values"), ("weights.parquet", "weights")])
def test_one_changed_bit_is_found_and_named(made, copy, file, column):
    flip_last_bit(copy / file, column)
    run = tomobasis("verify", copy, "--input", made.folder)
    assert run.code == 4, run.err
    assert len(run.errors) == 1 and file in run.errors[0]


def test_a_damaged_byte_in_a_part_file_is_found_and_named(made, copy):
    path = copy / "basis/part-00001.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x40
    path.write_bytes(data)
    run = tomobasis("verify", copy, "--input", made.folder)
    assert run.code == 4, run.err
    assert len(run.errors) == 1 and "basis/part-00001.parquet" in run.errors[0]


def test_a_missing_part_file_is_found_and_named(made, copy):
    (copy / "basis/part-00003.parquet").unlink()
    run = tomobasis("verify", copy, "--input", made.folder)
    assert run.code in (3, 4)
    assert len(run.errors) == 1 and "part-00003" in run.errors[0]


def test_another_scan_does_not_verify(made, tmp_path):
    made_scan(tmp_path / "scan", seed=2)
    run = tomobasis("verify", made.result, "--input", tmp_path / "scan")
    assert run.code == 4
    assert len(run.errors) == 1


def test_two_results_compare(made, copy):
    assert tomobasis("compare", made.result, copy).code == 0
    flip_last_bit(copy / "basis/part-00000.parquet", "values")
    run = tomobasis("compare", made.result, copy)
    assert run.code == 4
    assert "basis/part-00000.parquet" in run.errors[0]


def test_a_result_whose_files_are_in_a_folder_of_its_run_is_read_there(made, copy, tmp_path):
    """As a job leaves it on an object store where it was not the first in the folder."""
    place = copy / "run-3f2a9c01-77aa12bc"
    place.mkdir()
    for path in copy.iterdir():
        if path.name not in ("manifest.json", "_SUCCESS", place.name):
            path.rename(place / path.name)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["run"]["folder"] = place.name
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert tomobasis("verify", copy, "--input", made.folder).code == 0
    assert tomobasis("compare", made.result, copy).code == 0
    assert tomobasis("render", copy, "--output", tmp_path / "pictures").code == 0
    recomputed = start([sys.executable, ROOT / "docs/recompute_digests.py", copy])
    assert recomputed.code == 0, recomputed.out
    manifest["run"]["folder"] = "run-../elsewhere"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    refused = tomobasis("verify", copy, "--input", made.folder)
    assert refused.code == 3, refused.err
    assert len(refused.errors) == 1 and "manifest.json" in refused.errors[0]
