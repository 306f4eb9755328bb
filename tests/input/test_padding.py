"""`--padding`: what is outside the image decides nothing. Against NumPy and pydicom, in the command and in the job."""

import json
import sys

import numpy as np
import pydicom
import pytest

import ct_image
from ct_image import Scan, Storage
from oracle import enclosure, padding, ratios, result, rounding
from results import same
from running import ROOT, decompose, start, submit, tomobasis

SIZE = (72, 80)
SLICES = 8
RULES = ("keep", "air", "mask")


def outside():
    """Pixels outside the circle of a reconstruction."""
    y, x = (np.linspace(-1, 1, size) for size in SIZE)
    return y[:, None] ** 2 + x**2 > 1


def write_scan(folder, corner, edit=lambda dataset, index: None, intercept=0):
    """Slices of noise and tissue in a circle; what is outside has one stored value."""
    scan = Scan("PADDED", SLICES, (1.0, 1.0, 1.0), Storage(intercept=intercept, signed=True, bits=16))
    folder.mkdir()
    values = np.random.default_rng(3)
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    for index in range(SLICES):
        hu = np.rint(300 * np.sin(y / (4 + index)) * np.cos(x / 9) + values.normal(0, 20, SIZE))
        dataset = ct_image.ct_slice(scan, index, hu)
        stored = np.frombuffer(dataset.PixelData, "<i2").reshape(SIZE).copy()
        stored[outside()] = corner
        dataset.PixelData = stored.tobytes()
        edit(dataset, index)
        ct_image.write(dataset, folder / f"{index}.dcm")
    return folder


def named(value):
    """Names the padding in every other slice; the corners tell it in the others."""

    def edit(dataset, index):
        if index % 2 == 0:
            dataset.add_new("PixelPaddingValue", "SS", value)

    return edit


def datasets(folder):
    return [pydicom.dcmread(folder / f"{index}.dcm") for index in range(SLICES)]


def matrix(folder, rule):
    """`A` as integers."""
    columns = [
        padding.replaced(d, rule).ravel() * int(d.RescaleSlope) + int(d.RescaleIntercept) for d in datasets(folder)
    ]
    return np.array(columns).T


def run(folder, output, *options):
    done = decompose("--input", folder, "--output", output, *options)
    assert done.code == 0, done.err
    return result.read(output), done


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Padded scans: a value far below the others, and one that no header names, with an intercept."""
    base = tmp_path_factory.mktemp("padding")
    return {
        "-32768": write_scan(base / "low", -32768, named(-32768)),
        "-3024": write_scan(base / "unnamed", -2000, intercept=-1024),
    }


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["-32768", "-3024"])
def test_the_numbers_are_proven_to_be_those_of_the_matrix_that_the_rule_defines(scans, tmp_path, name, rule):
    found, done = run(scans[name], tmp_path / "r", "--padding", rule, "--emit", "parquet")
    a = matrix(scans[name], rule)
    enclosed = enclosure.enclose(a.T @ a)
    assert len(found.s) == SLICES
    assert rounding.unproven_values(enclosed, found.s) == []
    assert rounding.unproven_entries(enclosed, found.v) == []
    assert ratios.reconstruction(a.astype(float), found.u, found.s, found.v) < ratios.ALARM
    series = found.manifest["series"]
    count = int(outside().sum()) * SLICES
    assert series["padding"] == {"pixels": count, "slices": SLICES, "replaced": 0 if rule == "keep" else count}
    assert found.manifest["parameters"]["padding"] == rule
    told = [note["text"] for note in series["warnings"] if note["kind"] == "padding"]
    assert told and all(text in done.err for text in told)
    assert all(f"{name}" in text for text in told)


def test_the_energy_of_a_scan_does_not_hang_on_what_its_padding_was_stored_as(scans, tmp_path):
    """A corner of -32768 makes everything else a hundredth of the energy."""
    air = write_scan(tmp_path / "air", -1000)
    expected, _ = run(air, tmp_path / "expected", "--energy", "0.99", "--emit", "parquet")
    found, _ = run(scans["-32768"], tmp_path / "found", "--energy", "0.99", "--emit", "parquet")
    kept, _ = run(scans["-32768"], tmp_path / "kept", "--energy", "0.99", "--emit", "parquet", "--padding", "keep")
    assert len(found.s) == len(expected.s) > 1
    assert len(kept.s) == 1
    digests = (found.manifest["digests"], expected.manifest["digests"])
    assert all(digests[0][key] == digests[1][key] for key in ("s", "V", "U"))
    assert digests[0]["pixels"] != digests[1]["pixels"] and digests[0]["root"] != digests[1]["root"]


def test_window_and_noise_do_not_count_padding_under_any_rule(tmp_path):
    def without_window(dataset, index):
        del dataset.WindowCenter, dataset.WindowWidth

    folder = write_scan(tmp_path / "scan", -32768, without_window)
    inside = np.array([d.pixel_array[~outside()] for d in datasets(folder)])
    plain = {}
    for rule in RULES:
        found, _ = run(folder, tmp_path / rule, "--padding", rule, "--emit", "parquet")
        display = found.manifest["series"]["display"]
        assert (display["low"], display["high"]) == (inside.min(), inside.max()), rule
        plain[rule] = found
    # The noise of the matrix without the rows that are padding in every slice, which mask makes zero.
    a = matrix(folder, "mask")[~outside().ravel()].astype(float)
    m, n = a.shape
    ratio = n / m
    assert n < m
    # Median of the Marchenko-Pastur distribution, by integration.
    low, high = (1 - ratio**0.5) ** 2, (1 + ratio**0.5) ** 2
    x = np.linspace(low, high, 400001)
    density = np.sqrt(np.maximum((high - x) * (x - low), 0)) / (2 * np.pi * ratio * x)
    share = np.cumsum(density) * (x[1] - x[0])
    median = x[np.searchsorted(share, share[-1] / 2)]
    expected = np.median(np.linalg.svd(a, compute_uv=False)) / np.sqrt(m * median)
    assert plain["mask"].manifest["result"]["noise"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "method", [("tsqr",), ("tsqr", "--center"), ("dssvd", "--rank", "5"), ("dspca", "--rank", "5")]
)
def test_the_other_methods_have_the_same_matrix(scans, tmp_path, method):
    options = ("--method", *method, "--power-iterations", "6") if method[0][0] == "d" else ("--method", *method)
    for rule in RULES:
        found, _ = run(scans["-3024"], tmp_path / rule, *options, "--padding", rule, "--emit", "parquet")
        a = matrix(scans["-3024"], rule).astype(float)
        if method[0] == "dspca" or "--center" in method:
            a = a - a.mean(axis=1, keepdims=True)
        expected = np.linalg.svd(a, compute_uv=False)[: len(found.s)]
        assert found.s == pytest.approx(expected, rel=1e-9), rule


def test_the_pixels_digest_is_that_of_the_stored_pixels_and_the_root_can_be_recomputed(scans, tmp_path):
    pixels, roots = set(), set()
    for rule in RULES:
        run(scans["-32768"], tmp_path / rule, "--padding", rule)
        command = [sys.executable, ROOT / "docs/recompute_digests.py", tmp_path / rule, "--dicom", scans["-32768"]]
        recomputed = start(command)
        assert recomputed.code == 0, recomputed.out + recomputed.err
        digests = json.loads((tmp_path / rule / "manifest.json").read_text())["digests"]
        pixels.add(digests["pixels"])
        roots.add(digests["root"])
        assert tomobasis("verify", tmp_path / rule, "--input", scans["-32768"]).code == 0
    assert (len(pixels), len(roots)) == (1, 3)
    compared = tomobasis("compare", tmp_path / "keep", tmp_path / "air")
    assert compared.code == 4 and "A and B differ in what became of padding" in compared.err


def test_a_scan_without_padding_is_the_same_under_every_rule(tmp_path):
    folder = write_scan(tmp_path / "scan", -1100, named(-2000))
    manifests = [run(folder, tmp_path / rule, "--padding", rule, "--emit", "parquet")[0].manifest for rule in RULES]
    assert len({manifest["digests"]["root"] for manifest in manifests}) == 1
    assert not any("padding" in manifest["series"] for manifest in manifests)


def test_derived_slices_keep_the_padding_of_the_source(scans, tmp_path):
    for rule in RULES:
        run(scans["-3024"], tmp_path / rule, "--padding", rule, "--emit", "parquet,dicom", "--composite", "2")
        for index in range(SLICES):
            derived = pydicom.dcmread(tmp_path / rule / f"dicom/k=2/slice-{index:05}.dcm").pixel_array
            assert (derived[outside()] == -2000).all() and (derived[~outside()] != -2000).all()


def test_zero_that_no_stored_value_stands_for_is_refused(tmp_path):
    def between(dataset, index):
        dataset.RescaleIntercept = "-1024.5" if index == 3 else "-1024"

    folder = write_scan(tmp_path / "scan", -2000, between)
    done = decompose("--input", folder, "--output", tmp_path / "r", "--padding", "mask")
    assert done.code == 2 and done.errors[0].startswith("error: --padding: slice 4 stores no value that is 0"), done.err
    assert not (tmp_path / "r").exists()


@pytest.mark.spark
@pytest.mark.parametrize(
    "options", [("--emit", "parquet,png,report,dicom", "--composite", "2"), ("--padding", "mask", "--method", "tsqr")]
)
def test_the_job_writes_the_files_of_the_command_and_says_the_same(scans, tmp_path, options):
    _, done = run(scans["-32768"], tmp_path / "command", *options)
    job = submit("--input", scans["-32768"], "--output", tmp_path / "job", *options)
    assert job.code == 0, job.err
    same(tmp_path / "job", tmp_path / "command")
    told = [line.strip() for line in done.err.splitlines() if "are padding" in line]
    assert told and all(line in job.err for line in told)
