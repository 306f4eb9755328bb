"""Small inputs that failed somewhere (`shared/cases` beside the checkout; skipped where it is absent), through the command and the
job: pixel by pixel the matrix that NumPy and pydicom, or DCMTK, found in them."""

import shutil
import subprocess
import tempfile

import numpy as np
import pydicom
import pytest

from oracle import result
from running import SHARED, decompose

CASES = SHARED / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="shared/cases is not beside this checkout")

WORDS = {
    "baseline_in_lossless_ts": "with loss",
    "big_endian_un": "",
    "decimal_comma": "without a usable Pixel Spacing",
    "empty1": "without Rescale Slope and Intercept",
    "empty4": "",
    "jll_zero_before_eoi": "",
    "latin1_ends": "",
    "same_sop_uid": "all 12 slices with the same SOP Instance UID",
    "series_uid_per_slice": "Series Instance UID",
    "stray_nouid": "1 slice without Series Instance UID",
    "two_phases": "",
    "wg04_jls_pad_before_eoi": "",
    "wg04_jpeg12_sos_zero": "",
}
"""Each case, and words that its run must say."""

OPTIONS = {"two_phases": ["--join"], "series_uid_per_slice": ["--series", "largest"]}


def case_input(name):
    folder = CASES / name
    return folder if folder.is_dir() else folder.with_suffix(".tar")


def expected(name):
    """The right matrix: the one beside the case or, where that would be too plain to store, as this reads it."""
    stored = CASES / f"{name}.npy"
    if stored.exists():
        return np.load(stored).astype(np.float64)
    read = {"stray_nouid": of_the_numbered, "big_endian_un": of_the_ends, "wg04_jpeg12_sos_zero": of_dcmtk}
    return read[name](CASES / name)


def of_the_numbered(folder):
    """Files 000.dcm, 001.dcm and so on, which ascend; slope 1 and intercept 0."""
    files = sorted(folder.glob("[0-9]*.dcm"))
    return np.stack([pydicom.dcmread(file).pixel_array.ravel() for file in files], axis=1).astype(np.float64)


def of_the_ends(folder):
    """Big-endian pixels of 24 x 20, which end each file; pydicom can't read these. Slope 1 and intercept 0."""
    cells = [np.frombuffer(file.read_bytes()[-2 * 24 * 20 :], ">i2") for file in sorted(folder.glob("*.dcm"))]
    return np.stack(cells, axis=1).astype(np.float64)


def of_dcmtk(folder):
    """Files that `dcmdjpeg` decodes, which ascend."""
    if not shutil.which("dcmdjpeg"):
        pytest.skip("dcmdjpeg is not installed: apt-get install dcmtk")
    columns = []
    for file in sorted(folder.glob("*.dcm")):
        with tempfile.NamedTemporaryFile(suffix=".dcm") as decoded:
            subprocess.run(["dcmdjpeg", file, decoded.name], check=True, capture_output=True)
            image = pydicom.dcmread(decoded.name)
            slope, intercept = float(image.get("RescaleSlope", 1)), float(image.get("RescaleIntercept", 0))
            columns.append(image.pixel_array.ravel() * slope + intercept)
    return np.stack(columns, axis=1)


def compare(name, run, out):
    assert run.code == 0, run.err
    assert WORDS[name] in run.err
    theirs, ours = expected(name), result.read(out)
    assert (len(ours.u), ours.v.shape[0]) == theirs.shape
    # At full rank the basis holds the whole scan, whose values are integers.
    assert np.array_equal(theirs, np.rint(theirs))
    rebuilt = ours.u @ (ours.s[:, None] * ours.v.T)
    assert np.abs(rebuilt - theirs).max() < 1e-6


names = pytest.mark.parametrize("name", WORDS)


@names
def test_a_case_has_its_right_matrix_in_the_command(name, tmp_path):
    run = decompose("--input", case_input(name), "--output", tmp_path / "result", *OPTIONS.get(name, []))
    compare(name, run, tmp_path / "result")


@pytest.mark.spark
@names
def test_a_case_has_its_right_matrix_in_the_job(name, job, tmp_path):
    run = job("--input", case_input(name), "--output", tmp_path / "result", *OPTIONS.get(name, []))
    compare(name, run, tmp_path / "result")
