"""`tomobasis paper`: the commands that it prints are run as they are, in a new folder, and give the digest that it prints."""

import json
import os
import re
import subprocess

import numpy as np
import pydicom
import pytest

from results import flip_last_bit
from running import ROOT, decompose, secrets, tomobasis


def printed(result):
    run = tomobasis("paper", result)
    assert run.code == 0, run.err
    return run.out


def commands(text, program):
    return re.findall(rf"^    ({program} .*)$", text, re.MULTILINE)


def run_as_printed(command, folder):
    path = f"{ROOT / 'bin'}:{os.environ['PATH']}"
    words = {"capture_output": True, "text": True, "cwd": folder, "env": {**os.environ, "PATH": path}}
    return subprocess.run(["sh", "-c", command], check=False, **words)


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--rank", "7", "--composite", "2,5", "--emit", "parquet"],
        ["--energy", "0.99", "--padding", "keep"],
        ["--rank", "auto", "--center", "both", "--emit", "parquet,dicom", "--no-patient-data"],
        ["--method", "tsqr", "--center", "--dicom-syntax", "jpeg-ls", "--emit", "dicom"],
        ["--method", "dssvd", "--rank", "4", "--seed", "3", "--oversample", "5"],
    ],
)
def test_the_command_as_printed_gives_the_digest_and_every_file(made, options, tmp_path):
    result = tmp_path / "first"
    run = decompose("--input", made.folder, "--output", result, *options)
    assert run.code == 0, run.err
    text = printed(result)
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / "SCAN").symlink_to(made.folder)
    decomposed, verified = commands(text, "tomobasis")
    done = run_as_printed(decomposed, fresh)
    assert done.returncode == 0, done.stderr
    root = json.loads((result / "manifest.json").read_text())["digests"]["root"]
    assert f"root digest  {root}" in done.stdout and text.count(root) == 3
    assert run_as_printed(verified, fresh).returncode == 0
    again = tomobasis("compare", result, fresh / "RESULT")
    assert again.code == 0 and "the same values of series, parameters and result" in again.out, again.out + again.err
    assert printed(fresh / "RESULT") == text
    [cluster] = commands(text, "tomobasis-submit")
    assert cluster.split(" -- ")[1] == decomposed.removeprefix("tomobasis decompose ")
    assert not [secret for secret in secrets(made.scan) if secret in text]


def test_a_matrix_has_its_command_too(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(2).normal(size=(50, 6)))
    run = decompose("--input", tmp_path / "a.npy", "--input-format", "npy", "--output", tmp_path / "result")
    assert run.code == 0, run.err
    text = printed(tmp_path / "result")
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh/SCAN").symlink_to(tmp_path / "a.npy")
    done = run_as_printed(commands(text, "tomobasis")[0], tmp_path / "fresh")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "result/manifest.json").read_text())["digests"]["root"] in done.stdout


def test_slices_that_were_skipped_and_volumes_that_were_joined_are_in_the_command(made, tmp_path):
    manifest = json.loads((made.result / "manifest.json").read_text())
    assert not manifest["series"]["left_out"]
    scan = tmp_path / "scan"
    scan.mkdir()
    for path in made.folder.iterdir():
        (scan / path.name).write_bytes(path.read_bytes())
    bad = sorted(scan.iterdir())[5]
    bad.write_bytes(bad.read_bytes()[:-1000])
    run = decompose("--input", scan, "--output", tmp_path / "result", "--on-bad-slice", "skip")
    assert run.code == 0, run.err
    decomposed, verified = commands(printed(tmp_path / "result"), "tomobasis")
    assert decomposed.endswith(" --on-bad-slice skip") and verified.endswith(" --on-bad-slice skip")
    assert "Slices whose files could not be used were left out." in printed(tmp_path / "result")


@pytest.mark.parametrize("damage", ["table", "missing", "extra", "derived"])
def test_a_result_whose_files_are_not_those_of_the_manifest_is_refused(made, tmp_path, damage):
    options = ("--emit", "parquet,png,dicom", "--composite", "3")
    run = decompose("--input", made.folder, "--output", tmp_path / "result", *options)
    assert run.code == 0, run.err
    if damage == "table":
        flip_last_bit(tmp_path / "result/weights.parquet", "weights")
        name = "weights.parquet"
    elif damage == "missing":
        name = "pictures/basis.png"
        (tmp_path / "result" / name).unlink()
    elif damage == "extra":
        name = "notes.txt"
        (tmp_path / "result" / name).touch()
    else:
        name = "dicom/k=3"
        path = tmp_path / "result/dicom/k=3/slice-00004.dcm"
        dataset = pydicom.dcmread(path)
        dataset.PixelData = bytes(len(dataset.PixelData))
        dataset.save_as(path)
    run = tomobasis("paper", tmp_path / "result")
    assert run.code == 3 and len(run.errors) == 1 and run.errors[0].startswith(f"error: {name}: "), run.err
    assert run.out == ""


def test_the_sentences_are_grammatical(made, tmp_path):
    options = ("--method", "dssvd", "--rank", "3", "--power-iterations", "1", "--emit", "parquet")
    assert decompose("--input", made.folder, "--output", tmp_path / "one", *options).code == 0
    assert " 1 power iteration and the random seed 0." in printed(tmp_path / "one")
    options = ("--center", "both", "--emit", "parquet")
    assert decompose("--input", made.folder, "--output", tmp_path / "both", *options).code == 0
    assert "the means of each pixel and of each slice were removed." in printed(tmp_path / "both")


def test_a_manifest_that_was_changed_is_refused(made, tmp_path):
    (tmp_path / "result").mkdir()
    (tmp_path / "result/_SUCCESS").touch()
    text = (made.result / "manifest.json").read_text()
    (tmp_path / "result/manifest.json").write_text(text.replace('"air"', '"mask"'))
    run = tomobasis("paper", tmp_path / "result")
    assert run.code == 3 and run.errors[0].startswith("error: manifest.json: its seal"), run.err
