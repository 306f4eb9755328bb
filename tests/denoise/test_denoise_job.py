"""The job's `--denoise`: every byte of the command's folder, for any partitions, executors and faults; its refusals."""

import json
import shutil
import zipfile

import pydicom
import pytest

import denoised
from denoised import files
from running import ROOT, made_scan, secrets, start, submit, tomobasis

pytestmark = pytest.mark.spark

SIZE = {"slices": 48, "rows": 120, "columns": 160}


def same(made, expected):
    """The folder of the job is that of the command."""
    runs = denoised.same(made, expected)
    assert runs[0]["runner"].startswith("spark ") and runs[1]["runner"] == "in-process"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """The folder of a synthetic scan, the scan, and the folder that the command makes of it."""
    base = tmp_path_factory.mktemp("denoise-job")
    scan, _ = made_scan(base / "scan", **SIZE)
    run = tomobasis("denoise", "--input", base / "scan", "--output", base / "expected", "--threads", "2")
    assert run.code == 0, run.err
    return base / "scan", scan, base / "expected", run


@pytest.mark.parametrize(
    ("master", "conf"),
    [
        ("local[1]", ["spark.default.parallelism=1"]),
        ("local[2]", ["spark.default.parallelism=5", "spark.kryo.registrationRequired=true"]),
        ("local-cluster[2,1,1024]", ["spark.default.parallelism=7"]),
    ],
)
def test_the_job_writes_the_folder_that_the_command_writes(case, tmp_path, master, conf):
    scan, _, expected, command = case
    run = submit("--denoise", "--input", scan, "--output", tmp_path / "out", master=master, conf=conf)
    assert run.code == 0, run.err
    same(tmp_path / "out", expected)

    def said(text):
        return [line for line in text.splitlines() if not line.startswith(("result", "dicom", "report"))]

    assert said(run.out) == said(command.out)
    assert "[6/6] derive" in run.err


def test_strength_quality_and_how_it_is_written_are_the_commands(case, job, tmp_path):
    scan, made, _, _ = case
    options = ("--strength", "0.4", "--quality", "fast", "--dicom-syntax", "jpeg-ls", "--no-patient-data")
    run = tomobasis("denoise", "--input", scan, "--output", tmp_path / "expected", *options)
    assert run.code == 0, run.err
    run = job("--denoise", "--input", scan, "--output", tmp_path / "out", *options)
    assert run.code == 0, run.err
    same(tmp_path / "out", tmp_path / "expected")
    hidden = secrets(made)
    for path in files(tmp_path / "out").values():
        content = path.read_bytes()
        assert not [secret for secret in hidden if secret.encode() in content], path


def test_thick_slices_and_an_archive(job, tmp_path):
    _, sources = made_scan(tmp_path / "scan", slices=20, rows=90, columns=100)
    for j, path in enumerate(sources):
        dataset = pydicom.dcmread(path)
        dataset.ImagePositionPatient = [0, 0, 4.5 * j]
        dataset.save_as(path)
    archive = tmp_path / "scan.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for j, path in enumerate(sources):
            packed.write(path, f"{7 * j % 20}.dcm")
    run = tomobasis("denoise", "--input", archive, "--output", tmp_path / "expected")
    assert run.code == 0, run.err
    run = job("--denoise", "--input", archive, "--output", tmp_path / "out")
    assert run.code == 0, run.err
    same(tmp_path / "out", tmp_path / "expected")
    assert json.loads((tmp_path / "out/manifest.json").read_text())["parameters"]["patch"] == [2, 5, 5]


def test_a_killed_executor_changes_no_byte(standalone_cluster, tmp_path):
    scan = tmp_path / "scan"
    made_scan(scan, slices=100, rows=256, columns=256)
    driver = standalone_cluster.submit("--denoise", "--input", scan, "--output", tmp_path / "out", cores=2)
    driver.wait_for("[3/6] noise")
    standalone_cluster.kill_executor()
    run = driver.finish()
    assert run.code == 0, run.err
    run = tomobasis("denoise", "--input", scan, "--output", tmp_path / "expected")
    assert run.code == 0, run.err
    same(tmp_path / "out", tmp_path / "expected")


def test_verify_and_compare_take_the_folder_and_see_a_change(case, job, tmp_path):
    scan, _, expected, _ = case
    assert job("--denoise", "--input", scan, "--output", tmp_path / "out").code == 0
    run = tomobasis("verify", tmp_path / "out", "--input", scan)
    assert run.code == 0 and "every byte is what the input gives" in run.out, run.err
    run = tomobasis("compare", tmp_path / "out", expected)
    assert run.code == 0 and "every byte" in run.out, run.err
    path = tmp_path / "out/dicom/slice-00007.dcm"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    run = tomobasis("verify", tmp_path / "out", "--input", scan)
    assert run.code == 4 and len(run.errors) == 1, run.err


def test_only_a_denoised_series_is_replaced_by_one(case, job, tmp_path):
    scan, _, expected, _ = case
    made = shutil.copytree(expected, tmp_path / "out")
    words = ("--denoise", "--input", scan, "--output", made)
    run = job(*words)
    assert run.code == 2 and "it exists already" in run.err, run.err
    (made / "notes.txt").write_text("mine")
    run = job(*words, "--overwrite")
    assert run.code == 2 and "holds 1 more file or folder" in run.err, run.err
    (made / "notes.txt").unlink()
    assert job(*words, "--overwrite", "--strength", "0.5").code == 0
    assert json.loads((made / "manifest.json").read_text())["parameters"]["strength"] == 0.5
    # Neither kind replaces the other.
    assert job("--input", scan, "--output", tmp_path / "result", "--rank", "2").code == 0
    run = job(*words[:3], "--output", tmp_path / "result", "--overwrite")
    assert run.code == 2 and "is not a folder of a denoised series" in run.err, run.err
    run = job("--input", scan, "--output", made, "--overwrite", "--rank", "2")
    assert run.code == 2 and "so --overwrite will not replace it" in run.err, run.err


@pytest.mark.parametrize(
    ("size", "storage", "more"),
    [
        ({"slices": 2, "rows": 64, "columns": 64}, {}, ()),
        ({"slices": 8, "rows": 20, "columns": 64}, {}, ()),
        ({"slices": 8, "rows": 64, "columns": 64}, {}, ("--strength", "1.5")),
        ({"slices": 8, "rows": 64, "columns": 64}, {}, ("--rank", "5")),
        ({"slices": 8, "rows": 64, "columns": 64}, {"intercept": -3000, "signed": False}, ()),
    ],
    ids=["few slices", "small", "strength", "rank", "no tissue"],
)
def test_what_is_refused_is_refused_in_the_commands_words(job, tmp_path, size, storage, more):
    scan = tmp_path / "scan"
    made_scan(scan, **size, **storage)
    command = tomobasis("denoise", "--input", scan, "--output", tmp_path / "expected", *more)
    run = job("--denoise", "--input", scan, "--output", tmp_path / "out", *more)
    assert (run.code, run.errors) == (command.code, command.errors)
    assert run.code in (2, 3) and len(run.errors) == 1
    assert not (tmp_path / "out").exists()


def test_help_tells_of_both():
    run = start([ROOT / "bin/tomobasis-submit", "--", "--denoise", "--help"])
    assert run.code == 0 and "--strength" in run.out and "--rank" not in run.out, run.err
    run = start([ROOT / "bin/tomobasis-submit", "--", "--help"])
    assert run.code == 0 and "--denoise" in run.out, run.err
