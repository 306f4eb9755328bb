"""Folders as real scanners write them (beside the checkout; skipped where they are not): a scout and non-image objects in
between, and a tilted gantry."""

import numpy as np
import pytest

from oracle import enclosure, ratios, result, rounding, scan
from running import decompose, submit, tomobasis

FOLDERS = {"philips_head_phantom_axial_S2020": 100, "philips_tilt_S21610": 58}


@pytest.fixture(scope="module", params=FOLDERS)
def case(request, shared, tmp_path_factory):
    folder = shared(request.param)
    out = tmp_path_factory.mktemp(request.param) / "result"
    run = decompose("--input", folder, "--output", out)
    assert run.code == 0, run.err
    return folder, out, FOLDERS[request.param]


def test_all_slices_and_only_slices_are_used(case):
    _, out, slices = case
    assert result.read(out).manifest["series"]["slices"] == slices


def test_the_result_is_proven_against_the_oracle(case):
    folder, out, _ = case
    theirs, ours = scan.read(folder), result.read(out)
    enclosed = enclosure.enclose(theirs.gram())
    assert rounding.unproven_values(enclosed, ours.s) == []
    assert rounding.unproven_entries(enclosed, ours.v) == []
    a = theirs.hu.astype(np.float64)
    assert ratios.orthogonality(ours.u) < ratios.ALARM
    assert ratios.projection(a, ours.u, ours.s, ours.v) < ratios.ALARM


@pytest.mark.spark
def test_spark_gives_the_same_root(case, tmp_path):
    folder, out, _ = case
    run = submit("--input", folder, "--output", tmp_path / "result")
    assert run.code == 0, run.err
    assert result.read(tmp_path / "result").manifest["digests"] == result.read(out).manifest["digests"]
    assert tomobasis("verify", tmp_path / "result", "--input", folder).code == 0


def test_the_gantry_tilt_is_reported(shared):
    run = tomobasis("inspect", shared("philips_tilt_S21610"))
    assert run.code == 0, run.err
    assert "tilt" in run.out.lower()
