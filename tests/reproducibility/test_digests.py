"""The small program beside docs/format.md, which shares no code with us, finds the digests that the manifest records."""

import sys

from running import ROOT, made_scan, start

PROGRAM = [sys.executable, ROOT / "docs/recompute_digests.py"]


def test_it_agrees_from_a_result_folder_alone(made):
    run = start([*PROGRAM, made.result])
    assert run.code == 0, run.out + run.err
    assert "root" in run.out and "DIFFERS" not in run.out


def test_it_agrees_from_the_pixels_that_pydicom_reads(made):
    run = start([*PROGRAM, made.result, "--dicom", made.folder])
    assert run.code == 0, run.out + run.err
    assert "pixels" in run.out and "instances (from the input)" in run.out


def test_it_notices_another_scan(made, tmp_path):
    made_scan(tmp_path, seed=2)
    run = start([*PROGRAM, made.result, "--dicom", tmp_path])
    assert run.code == 1
    assert [line.split()[-1] for line in run.out.splitlines() if line.startswith("DIFFERS")][:1] == ["pixels"]
