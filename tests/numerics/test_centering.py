"""`--center` with the exact method: principal components in class `certified`, held against exact rationals and ball arithmetic."""

import json
import sys
from fractions import Fraction

import numpy as np
import pydicom
import pytest
from flint import arb

from oracle import basis, enclosure, ratios, result, rounding, scan
from oracle.centering import centered_gram, centered_row
from results import same
from running import ROOT, decompose, made_scan, start, tomobasis

MEANS = ["pixels", "slices", "both"]


@pytest.fixture(scope="module")
def results(made, tmp_path_factory):
    """Means -> the result folder of the scan, on two threads."""
    base = tmp_path_factory.mktemp("centered")
    for means in MEANS:
        options = ("--center", means, "--emit", "parquet,png,report,dicom", "--composite", "3,100%", "--threads", "2")
        run = decompose("--input", made.folder, "--output", base / means, *options)
        assert run.code == 0, run.err
        assert "gram, class certified" in run.out
    return {means: base / means for means in MEANS}


@pytest.fixture(scope="module")
def hu(made):
    return scan.read(made.folder)


@pytest.mark.parametrize("means", MEANS)
def test_values_and_weights_are_proven_to_be_those_of_the_centered_matrix(results, hu, means):
    found = result.read(results[means])
    gram, divisor = centered_gram(hu.gram(), hu.hu.sum(axis=0), len(hu.hu), means)
    enclosed = enclosure.enclose(gram)
    values = [(value / divisor).sqrt() for value in enclosed.values]
    rank = hu.columns - (means != "slices")
    assert len(found.s) == rank == found.manifest["result"]["numerical_rank"]
    assert all(rounding.is_rounded(float(s), ball) for s, ball in zip(found.s, values, strict=False))
    assert rounding.unproven_entries(enclosed, found.v) == []
    assert ratios.orthogonality(found.u) < ratios.ALARM
    assert found.manifest["result"]["energy"] == pytest.approx(sum(gram[i][i] for i in range(len(gram))) / divisor)
    assert found.manifest["parameters"]["center"] == means


@pytest.mark.parametrize("means", MEANS)
def test_entries_of_the_basis_are_chains_over_entries_that_were_rounded_once(results, hu, means):
    found = result.read(results[means])
    plain = len(found.s) - found.manifest["result"]["compensated_columns"]
    sums = [int(v) for v in hu.hu.sum(axis=0)]
    places = np.random.default_rng(7)
    for row, column in zip(places.integers(0, len(hu.hu), 40), places.integers(0, plain, 40), strict=True):
        entries, _ = centered_row([int(v) for v in hu.hu[row]], sums, len(hu.hu), means)
        expected = basis.chained_entry(entries, found.v[:, column], found.s[column])
        assert found.u[row, column] == expected, (row, column)


@pytest.mark.parametrize("means", MEANS)
def test_composites_have_the_means_again(results, hu, means):
    found = result.read(results[means])
    a = hu.hu.astype(float)
    removed = np.zeros_like(a)
    if means != "slices":
        removed += a.mean(axis=1, keepdims=True)
    if means != "pixels":
        removed += a.mean(axis=0, keepdims=True) - (a.mean() if means == "both" else 0)
    for k in (3, len(found.s)):
        composite = (found.u[:, :k] * found.s[:k]) @ found.v[:, :k].T + removed
        for index, path in enumerate(sorted((results[means] / f"dicom/k={k}").iterdir())):
            image = pydicom.dcmread(path)
            stored = (composite[:, index] - float(image.RescaleIntercept)) / float(image.RescaleSlope)
            stored = stored.clip(*((0, 2**image.BitsStored - 1) if image.PixelRepresentation == 0 else (-32768, 32767)))
            assert np.abs(image.pixel_array.ravel() - stored).max() <= 0.5 + 1e-6
            assert f"centered by {means}, class certified" in image.DerivationDescription
            if k == len(found.s):
                assert (image.pixel_array == hu.stored[index]).all()


@pytest.mark.parametrize("means", MEANS)
def test_a_result_verifies_its_digests_are_recomputed_and_its_pictures_drawn_again(made, results, tmp_path, means):
    run = tomobasis("verify", results[means], "--input", made.folder)
    assert run.code == 0, run.err
    run = start([sys.executable, ROOT / "docs/recompute_digests.py", results[means], "--dicom", made.folder])
    assert run.code == 0, run.out + run.err
    run = tomobasis("render", results[means], "--input", made.folder, "--output", tmp_path, "--composite", "3,100%")
    assert run.code == 0, run.err
    for picture in (results[means] / "pictures").iterdir():
        assert (tmp_path / picture.name).read_bytes() == picture.read_bytes(), picture.name
    refused = tomobasis("render", results[means], "--output", tmp_path / "none")
    assert refused.code == 2 and "--input: the result does not hold the means" in refused.err


def test_the_means_are_part_of_the_root_and_cannot_be_exchanged(made, results, tmp_path):
    roots = {json.loads((folder / "manifest.json").read_text())["digests"]["root"] for folder in results.values()}
    assert len(roots | {json.loads((made.result / "manifest.json").read_text())["digests"]["root"]}) == 4
    run = decompose("--input", made.folder, "--output", tmp_path / "r", "--center", "slices", "--emit", "parquet")
    assert run.code == 0, run.err
    manifest = json.loads((tmp_path / "r/manifest.json").read_text())
    manifest["parameters"]["center"] = "both"
    (tmp_path / "r/manifest.json").write_text(json.dumps(manifest))
    assert tomobasis("verify", tmp_path / "r", "--input", made.folder).code == 4


def test_slopes_of_their_own_are_centered_in_hu(tmp_path):
    made_scan(tmp_path / "scan", slices=6, rows=40, columns=50)
    for index, path in enumerate(sorted((tmp_path / "scan").iterdir())):
        image = pydicom.dcmread(path)
        image.RescaleSlope, image.RescaleIntercept = f"0.{137 + 29 * index}", f"-{index}.7"
        image.save_as(path)
    theirs = scan.read_stored(tmp_path / "scan")
    gram, exponent = theirs.exact_gram()
    slopes, intercepts = (
        [Fraction(v) * Fraction(2) ** (-exponent // 2) for v in f] for f in (theirs.slopes, theirs.intercepts)
    )
    rows = theirs.stored.shape[1]
    totals = theirs.stored.reshape(len(slopes), -1).sum(axis=1)
    sums = [slope * int(t) + intercept * rows for slope, intercept, t in zip(slopes, intercepts, totals, strict=True)]
    for means in MEANS:
        run = decompose("--input", tmp_path / "scan", "--output", tmp_path / means, "--center", means)
        assert run.code == 0, run.err
        found = result.read(tmp_path / means)
        centered, divisor = centered_gram(gram, sums, rows, means)
        enclosed = enclosure.enclose(centered)
        values = [(value / divisor * arb(2) ** exponent).sqrt() for value in enclosed.values]
        assert len(found.s) == 6 - (means != "slices")
        assert all(rounding.is_rounded(float(s), ball) for s, ball in zip(found.s, values, strict=False))
        assert rounding.unproven_entries(enclosed, found.v) == []
        a = theirs.rescaled()
        a = a - (a.mean(axis=1, keepdims=True) if means != "slices" else 0)
        a = a - (a.mean(axis=0, keepdims=True) if means != "pixels" else 0)
        assert ratios.projection(a, found.u, found.s, found.v) < ratios.ALARM


@pytest.mark.parametrize("means", MEANS)
def test_columns_of_small_singular_values_come_from_exact_sums(tmp_path, means):
    """Of slices that differ in one pixel of few units, beside one that has all of the range."""
    _, paths = made_scan(tmp_path / "scan", slices=5, rows=100, columns=120)
    for index, path in enumerate(paths):
        image = pydicom.dcmread(path)
        one = np.arange(12000).reshape(100, 120) == 77 * index + 5
        pixels = (1 + index) * one
        image.PixelData = (image.pixel_array if index == 0 else pixels).astype(image.pixel_array.dtype).tobytes()
        image.save_as(path)
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "r", "--center", means, "--padding", "keep")
    assert run.code == 0, run.err
    theirs, found = scan.read(tmp_path / "scan"), result.read(tmp_path / "r")
    sums = [int(v) for v in theirs.hu.sum(axis=0)]
    gram, _ = centered_gram(theirs.gram(), sums, len(theirs.hu), means)
    a = np.array([centered_row([int(v) for v in row], sums, len(theirs.hu), means)[0] for row in theirs.hu])
    enclosed = enclosure.enclose(gram, a)
    assert rounding.unproven_entries(enclosed, found.v) == []
    assert ratios.orthogonality(found.u) < ratios.ALARM
    small = [j for j in range(len(found.s)) if found.s[0] > 16384 * found.s[j]]
    assert small and len(small) == found.manifest["result"]["compensated_columns"]
    for j in small:
        sign = 1 if float(enclosed.vectors[j][0].mid()) * found.v[0, j] > 0 else -1
        w = [Fraction(round(basis.exact(sign * ball) * 2**106), 2**106) for ball in enclosed.vectors[j]]
        if means != "slices":
            w = [v - sum(w) / len(w) for v in w]
        p = [round(v * 2**92) for v in w]
        offsets = [Fraction(v, len(theirs.hu)) if means != "pixels" else 0 for v in sums]
        # The intercept is in `hu` here, in `C` by the definition: the same up to what `P` was rounded by.
        for row in range(5, 12000, 77):
            total = sum(int(x) * v for x, v in zip(theirs.hu[row], p, strict=True)) / Fraction(2) ** 92
            total -= sum(o * v for o, v in zip(offsets, w, strict=True))
            assert found.u[row, j] == pytest.approx(float(total) / found.s[j], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    "options",
    [("pixels",), ("slices",), ("both",), ("pixels", "--method", "tsqr"), None],
)
def test_a_scan_of_which_nothing_is_left_is_refused_by_name(tmp_path, options):
    made_scan(tmp_path / "scan", slices=5, rows=30, columns=40)
    paths = sorted((tmp_path / "scan").iterdir())
    first = pydicom.dcmread(paths[0]).pixel_array
    for index, path in enumerate(paths):
        image = pydicom.dcmread(path)
        image.RescaleSlope, image.RescaleIntercept = "0.1", "-1024.7"
        image.PixelData = (np.full_like(first, 100 + index) if options == ("slices",) else first).tobytes()
        image.save_as(path)
    options = ("--center", *options) if options else ("--method", "dspca", "--rank", "2")
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "r", *options)
    assert run.code == 3 and len(run.errors) == 1, run.err
    assert "nothing is left without" in run.err and not (tmp_path / "r").exists()


@pytest.mark.spark
def test_the_job_writes_the_files_that_the_command_writes(made, results, tmp_path, job):
    for means in MEANS:
        options = ("--center", means, "--emit", "parquet,png,report,dicom", "--composite", "3,100%")
        run = job("--input", made.folder, "--output", tmp_path / means, *options)
        assert run.code == 0, run.err
        same(tmp_path / means, results[means])
