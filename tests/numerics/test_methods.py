"""`--method tsqr`, `dssvd` and `dspca`: class `fixed`, against NumPy, against the exact method, and against themselves."""

import json
import sys

import numpy as np
import pydicom
import pytest

from oracle import result, scan
from results import flip_last_bit, same
from running import ROOT, decompose, made_scan, start, submit, tomobasis

RANK = 6
METHODS = {
    "tsqr": ("--method", "tsqr"),
    "tsqr centered": ("--method", "tsqr", "--center", "--energy", "0.999"),
    "dssvd": ("--method", "dssvd", "--rank", RANK),
    "dspca": ("--method", "dspca", "--rank", RANK, "--oversample", "9", "--power-iterations", "1", "--seed", "7"),
}
EPSILON = np.finfo(float).eps


@pytest.fixture(scope="module")
def results(made, tmp_path_factory):
    """Method -> the result folder of the synthetic scan, on two threads."""
    base = tmp_path_factory.mktemp("methods")
    for name, options in METHODS.items():
        run = decompose("--input", made.folder, "--output", base / name, "--threads", "2", *options)
        assert run.code == 0, run.err
        assert f"{options[1]}, class fixed" in run.out
    return {name: base / name for name in METHODS}


@pytest.fixture(scope="module")
def hu(made):
    """`A` as NumPy has it, in float64."""
    return scan.read(made.folder).hu.astype(np.float64)


def centered(a):
    return a - a.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("threads", ["1", "3"])
@pytest.mark.parametrize("method", METHODS)
def test_every_number_of_threads_gives_the_same_files(made, results, tmp_path, method, threads):
    options = METHODS[method]
    run = decompose("--input", made.folder, "--output", tmp_path / "r", "--threads", threads, *options)
    assert run.code == 0, run.err
    same(tmp_path / "r", results[method])


@pytest.mark.parametrize("method", METHODS)
def test_the_factors_are_orthonormal_and_rebuild_what_the_manifest_says(results, hu, method):
    found = result.read(results[method])
    a = centered(hu) if method in ("tsqr centered", "dspca") else hu
    m, k = found.u.shape
    # LAPACK's test ratios, which it lets pass up to 30.
    assert np.linalg.norm(found.u.T @ found.u - np.eye(k)) < 10 * m * EPSILON
    assert np.linalg.norm(found.v.T @ found.v - np.eye(k)) < 10 * len(found.v) * EPSILON
    largest = np.abs(found.v).argmax(axis=0)
    assert (found.v[largest, np.arange(k)] > 0).all()
    numbers = found.manifest["result"]
    assert numbers["energy"] == pytest.approx(np.linalg.norm(a) ** 2, rel=1e-12)
    for entry in numbers["composites"]:
        composite = (found.u[:, : entry["k"]] * found.s[: entry["k"]]) @ found.v[:, : entry["k"]].T
        rms = np.sqrt(np.mean((a - composite) ** 2))
        assert entry["residual_rms"] == pytest.approx(rms, rel=1e-6, abs=1e-9)


def test_tsqr_finds_the_certified_values_within_rounding(made, results):
    exact, found = result.read(made.result), result.read(results["tsqr"])
    assert len(found.s) == len(exact.s) == found.manifest["result"]["numerical_rank"]
    assert np.abs(found.s - exact.s).max() < 20 * EPSILON * exact.s[0]


def test_dssvd_finds_the_leading_values_from_below(made, results):
    exact, found = result.read(made.result), result.read(results["dssvd"])
    assert len(found.s) == RANK
    error = (exact.s[:RANK] - found.s) / exact.s[:RANK]
    assert error.min() > -10 * EPSILON and error.max() < 1e-6


@pytest.mark.parametrize("method", ["tsqr centered", "dspca"])
def test_a_centered_method_is_the_svd_without_the_mean_slice(results, hu, method):
    found = result.read(results[method])
    _, s, vt = np.linalg.svd(centered(hu), full_matrices=False)
    k = min(len(found.s), 3)
    tolerance = 1e-12 if method == "tsqr centered" else 1e-4
    assert found.s[:k] == pytest.approx(s[:k], rel=tolerance)
    cosines = np.abs(np.sum(found.v[:, :k] * vt[:k].T, axis=0))
    assert cosines == pytest.approx(np.ones(k), abs=tolerance)


@pytest.mark.parametrize("method", METHODS)
def test_derived_dicom_is_the_composite_with_the_mean_slice_put_back(made, hu, tmp_path, method):
    options = (*METHODS[method], "--composite", "3", "--emit", "parquet,dicom")
    run = decompose("--input", made.folder, "--output", tmp_path / "r", *options)
    assert run.code == 0, run.err
    found = result.read(tmp_path / "r")
    mean = hu.mean(axis=1, keepdims=True) if method in ("tsqr centered", "dspca") else 0
    composite = (found.u[:, :3] * found.s[:3]) @ found.v[:, :3].T + mean
    for slice_, path in enumerate(sorted((tmp_path / "r/dicom/k=3").iterdir())):
        image = pydicom.dcmread(path)
        stored = (composite[:, slice_] - float(image.RescaleIntercept)) / float(image.RescaleSlope)
        low, high = (0, 2**image.BitsStored - 1) if image.PixelRepresentation == 0 else (-(2**15), 2**15 - 1)
        assert np.abs(image.pixel_array.ravel() - stored.clip(low, high)).max() <= 0.5 + 1e-6
        assert f"{METHODS[method][1]}, class fixed" in image.DerivationDescription
    verified = tomobasis("verify", tmp_path / "r", "--input", made.folder)
    assert verified.code == 0, verified.err


@pytest.mark.parametrize("method", METHODS)
def test_the_manifest_says_class_method_parameters_and_promise(results, method):
    manifest = result.read(results[method]).manifest
    told, parameters = manifest["result"], manifest["parameters"]
    assert (told["class"], told["method"]) == ("fixed", METHODS[method][1])
    assert "x86-64" in told["promise"] and told["bounds"] is None
    assert parameters["method"] == told["method"]
    expected = {
        "tsqr": {"center": False},
        "tsqr centered": {"center": True},
        "dssvd": {"oversample": 15, "power_iterations": 2, "seed": 0, "sketch": "signs"},
        "dspca": {"oversample": 9, "power_iterations": 1, "seed": 7, "sketch": "signs"},
    }[method]
    assert {key: parameters[key] for key in expected} == expected
    assert (told["numerical_rank"] is None) == (method in ("dssvd", "dspca"))


@pytest.mark.parametrize("method", METHODS)
def test_a_result_verifies_and_its_digests_can_be_recomputed_elsewhere(made, results, method):
    run = tomobasis("verify", results[method], "--input", made.folder)
    assert run.code == 0, run.err
    run = start([sys.executable, ROOT / "docs/recompute_digests.py", results[method], "--dicom", made.folder])
    assert run.code == 0, run.out + run.err


def test_a_changed_bit_or_parameter_is_found_and_named(made, tmp_path):
    def fresh(name):
        options = ("--output", tmp_path / name, "--emit", "parquet", *METHODS["dssvd"])
        assert decompose("--input", made.folder, *options).code == 0
        return tmp_path / name

    def refused(folder, named):
        run = tomobasis("verify", folder, "--input", made.folder)
        assert run.code == 4, run.err
        assert len(run.errors) == 1 and named in run.errors[0]

    changed = fresh("bit")
    flip_last_bit(changed / "basis/part-00001.parquet", "values")
    refused(changed, "basis/part-00001.parquet")
    for key, value in {"seed": 1, "power_iterations": 3}.items():
        changed = fresh(key)
        manifest = json.loads((changed / "manifest.json").read_text())
        manifest["parameters"][key] = value
        (changed / "manifest.json").write_text(json.dumps(manifest))
        refused(changed, "manifest.json")


def test_another_seed_is_another_result_and_compare_says_so(made, results, tmp_path):
    run = decompose("--input", made.folder, "--output", tmp_path / "r", *METHODS["dssvd"], "--seed", "1")
    assert run.code == 0, run.err
    assert tomobasis("compare", results["dssvd"], tmp_path / "r").code == 4
    assert tomobasis("compare", results["tsqr"], made.result).code == 4
    assert tomobasis("compare", results["tsqr"], results["tsqr"]).code == 0


def test_pictures_and_report_are_made_as_for_the_exact_method(made, results):
    def names(folder):
        return sorted(p.name for p in (folder / "pictures").iterdir())

    for method, folder in results.items():
        assert names(folder) == names(made.result)
        report = (folder / "report.html").read_text()
        assert "no error bound was proven" in report and METHODS[method][1] in report


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--method", "dssvd"), "--rank: dssvd needs to know how many basis vectors"),
        (("--method", "dspca", "--rank", "auto"), "--rank: dspca does not compute all singular values"),
        (("--method", "dssvd", "--energy", "0.9"), "--energy: dssvd does not compute all singular values"),
        (("--method", "dssvd", "--rank", "25"), "--rank: 25 is more than the 24 slices"),
        (("--method", "tsqr", "--seed", "1"), "--seed: tsqr uses no random numbers"),
        (("--oversample", "1"), "--oversample: gram uses no random numbers"),
        (("--method", "tsqr", "--center", "both"), "--center: tsqr removes the mean slice only"),
        (("--method", "dssvd", "--rank", "5", "--center"), "--center: dssvd without the mean slice is --method dspca"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(made, tmp_path, options, named):
    run = decompose("--input", made.folder, "--output", tmp_path / "r", *options)
    assert run.code == 2, run.err
    assert len(run.errors) == 1 and named in run.errors[0]
    assert not (tmp_path / "r").exists()


@pytest.mark.spark
@pytest.mark.parametrize(("method", "partitions"), zip(METHODS, [1, 3, 7, 2], strict=True))
def test_the_job_writes_the_files_that_the_command_writes(made, results, tmp_path, method, partitions):
    conf = [f"spark.default.parallelism={partitions}"]
    run = submit("--input", made.folder, "--output", tmp_path / "r", *METHODS[method], conf=conf)
    assert run.code == 0, run.err
    assert f"{METHODS[method][1]}, class fixed" in run.out
    same(tmp_path / "r", results[method])


@pytest.mark.spark
def test_executors_of_their_own_write_the_same_files_and_derived_dicom(made, tmp_path):
    options = ("--input", made.folder, *METHODS["dssvd"], "--composite", "3", "--emit", "report,dicom,parquet")
    assert decompose("--output", tmp_path / "command", *options).code == 0
    run = submit("--output", tmp_path / "job", *options, master="local-cluster[2,1,1024]")
    assert run.code == 0, run.err
    same(tmp_path / "job", tmp_path / "command")
    verified = tomobasis("verify", tmp_path / "job", "--input", made.folder)
    assert verified.code == 0, verified.err


UNUSUAL = {
    "more slices than pixels": ({"slices": 24, "rows": 4, "columns": 5}, ("--method", "tsqr")),
    "k + p above the number of pixels": (
        {"slices": 24, "rows": 4, "columns": 5},
        ("--method", "dssvd", "--rank", "18"),
    ),
    "k + p above the number of slices": (
        {"slices": 9, "rows": 64, "columns": 65},  # two blocks, the second of 64 rows
        ("--method", "dspca", "--rank", "8"),
    ),
    "one block": ({"slices": 5, "rows": 30, "columns": 40}, ("--method", "dssvd", "--rank", "1")),
}


@pytest.mark.spark
@pytest.mark.parametrize("case", UNUSUAL)
def test_unusual_sizes_give_the_same_files_in_the_job(tmp_path, case):
    size, options = UNUSUAL[case]
    made_scan(tmp_path / "scan", **size)
    job = ("--input", tmp_path / "scan", *options)
    assert decompose("--output", tmp_path / "command", *job).code == 0
    run = submit("--output", tmp_path / "job", *job)
    assert run.code == 0, run.err
    same(tmp_path / "job", tmp_path / "command")
    a = scan.read(tmp_path / "scan").hu.astype(np.float64)
    found = result.read(tmp_path / "job")
    if "dspca" in options:
        a = centered(a)
    exact = np.linalg.svd(a, compute_uv=False)
    if case.startswith("k + p"):  # the sketch then holds the whole range
        assert np.abs(found.s - exact[: len(found.s)]).max() < 20 * EPSILON * exact[0]


@pytest.mark.spark
@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        (("--method", "dssvd", "--rank", "25"), 2, "--rank: 25 is more than the 24 slices"),
        (("--method", "tsqr", "--seed", "1"), 2, "--seed: tsqr uses no random numbers"),
    ],
)
def test_the_job_refuses_in_one_line(made, tmp_path, options, code, named):
    run = submit("--input", made.folder, "--output", tmp_path / "r", *options)
    assert run.code == code, run.err
    assert len(run.errors) == 1 and named in run.errors[0]
    assert not (tmp_path / "r").exists()
