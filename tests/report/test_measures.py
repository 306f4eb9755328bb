"""What composites do to the image: the figures of the manifest against scikit-image on the files of the derived series, in the report's
words, the same wherever they were computed, and against a reference."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from scipy import ndimage
from skimage import metrics

from results import same, write_sealed
from running import decompose, made_scan, tomobasis

SIGMA = 15.0
"""Standard deviation of the noise, in HU."""


def body(slices, rows, columns):
    """Air, a body of 40 HU whose radius changes, bone in it, and detail in single slices."""
    z, y, x = np.mgrid[:slices, :rows, :columns].astype(float)
    radius = np.hypot((y - rows / 2 + 0.3) / 1.1, x - columns / 2 + 0.2)
    hu = np.where(radius < 0.42 * columns + 3 * np.sin(z), 40.0, -1000.0)
    hu[np.hypot(y - 0.5 * rows, x - 0.5 * columns) < 9 + z / 4] = 900
    hu[(radius < 0.3 * columns) & (radius > 0.27 * columns) & (z % 3 == 0)] += 60
    return ndimage.gaussian_filter(hu, (0, 0.8, 0.8))


def write(folder, hu, uid):
    """A series with these values."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    folder.mkdir(parents=True)
    for j, values in enumerate(np.rint(hu).astype(int)):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, f"{uid}.{j + 1}"
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, f"{uid}.{j + 1}"
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = f"{uid}.100", f"{uid}.101", f"{uid}.102"
        ds.Modality, ds.InstanceNumber, ds.PatientName, ds.PatientID = "CT", j + 1, "Phantom", "1"
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, 2.0 * j], [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.SliceThickness = [0.5, 0.5], 2
        ds.Rows, ds.Columns = values.shape
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, -2000, "HU"
        ds.WindowCenter, ds.WindowWidth = 40, 400
        ds.PixelData = (values + 2000).clip(0, 65535).astype("<u2").tobytes()
        ds.save_as(folder / f"{j:03}.dcm", enforce_file_format=True)


def read(folder):
    """HU of a series whose files are in slice order."""
    files = [pydicom.dcmread(path) for path in sorted(folder.glob("*.dcm"))]
    return np.stack([file.pixel_array * float(file.RescaleSlope) + float(file.RescaleIntercept) for file in files])


def manifest_of(result):
    return json.loads((result / "manifest.json").read_text())


def similarity(a, b, window):
    low, high = window
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return metrics.structural_similarity(a.clip(low, high), b.clip(low, high), data_range=high - low, **settings)


def close(found, expected, tolerance=1e-6):
    return found == pytest.approx(expected, rel=tolerance)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A noisy scan, the same without noise, and the result of the former with the latter as reference."""
    base = tmp_path_factory.mktemp("measures")
    truth = body(20, 150, 180)
    noisy = truth + np.random.default_rng(5).normal(0, SIGMA, truth.shape)
    write(base / "noisy", noisy, "1.2.826.0.1.1")
    write(base / "truth", truth, "1.2.826.0.1.2")
    options = ("--composite", "2,5,20", "--emit", "parquet,png,report,dicom", "--no-patient-data")
    run = decompose("--input", base / "noisy", "--output", base / "out", "--reference", base / "truth", *options)
    assert run.code == 0, run.err
    return base


@pytest.fixture(scope="module")
def measures(case):
    return manifest_of(case / "out")["measures"]


def test_similarity_and_errors_are_those_of_scikit_image(case, measures):
    assert measures["slices"] == list(range(20)) and measures["window"] == [-160, 239] and measures["peak"] == 2000
    scan, truth = read(case / "noisy"), read(case / "truth")
    assert [one["k"] for one in measures["composites"]] == [2, 5, 20]
    images = [(measures["original"], scan)]
    for one in measures["composites"]:
        made = read(case / f"out/dicom/k={one['k']}")
        images.append((one, made))
        each = [similarity(a, b, measures["window"]) for a, b in zip(scan, made, strict=True)]
        assert close(one["ssim"], np.mean(each))
        assert close(one["least_ssim"]["ssim"], min(each)) and one["least_ssim"]["slice"] == int(np.argmin(each))
        assert close(one["rmse"], metrics.mean_squared_error(scan, made) ** 0.5) or one["rmse"] == 0
    for one, made in images:
        against = one["reference"]
        assert close(against["rmse"], metrics.mean_squared_error(truth, made) ** 0.5)
        assert close(against["psnr"], metrics.peak_signal_noise_ratio(truth, made, data_range=2000))
        each = [similarity(a, b, measures["window"]) for a, b in zip(truth, made, strict=True)]
        assert close(against["ssim"], np.mean(each))
    # All basis vectors are the scan itself.
    whole = measures["composites"][-1]
    assert whole["rmse"] == 0 and close(whole["ssim"], 1) and whole["residual"]["warning"] is None


def test_noise_is_that_which_was_added_and_that_of_a_region_chosen_by_hand(case, measures):
    noise = measures["original"]["noise"]
    assert measures["regions"] >= 100
    assert abs(noise["sigma"] / SIGMA - 1) < 0.05
    # White noise: as much at every frequency that a plane taken off does not reach.
    assert np.allclose(np.array(noise["spectrum"][2:]) / SIGMA**2, 1, atol=0.15)
    even = read(case / "noisy")[:, 66:84, 45:63]
    assert abs(np.std(even - 40) / noise["sigma"] - 1) < 0.05
    few, some, all_ = (one["noise"]["sigma"] for one in measures["composites"])
    # What moves from slice to slice shows through where there are too few basis vectors, and counts as noise.
    assert some < few < all_ == noise["sigma"]
    found = manifest_of(case / "out")["result"]["noise"]
    for one in measures["composites"]:
        assert close(one["global_noise"], found * (one["k"] / 20) ** 0.5)


def test_sharpness_is_that_of_the_blur_that_was_applied(measures):
    # A Gaussian of 0.8 pixels has fallen to one half at 0.1874 / 0.8 cycles per pixel.
    found = measures["original"]["sharpness"]
    assert measures["edges"] >= 1000
    assert abs(found["f50"] / (0.1874 / 0.8) - 1) < 0.05, found
    gauss = np.exp(-2 * (np.pi * 0.8 * np.arange(9) / 16) ** 2)
    assert np.allclose(found["transfer"], gauss, atol=0.04), found
    assert abs(found["contrast"] - 1) < 0.02
    few = measures["composites"][0]["sharpness"]
    assert few["f50"] < found["f50"] - 0.005, "two basis vectors cannot follow edges that move"


def test_correlation_of_what_is_left_out_is_that_of_the_definition(case, measures):
    scan = read(case / "noisy")
    for one in measures["composites"][:2]:
        residual = scan - read(case / f"out/dicom/k={one['k']}")
        residual -= residual.mean()
        for lag, found in enumerate(one["residual"]["autocorrelation"], 1):
            pairs = [residual[:, lag:] * residual[:, :-lag], residual[:, :, lag:] * residual[:, :, :-lag]]
            expected = np.concatenate([pair.ravel() for pair in pairs]).mean() / residual.var()
            assert abs(found - expected) < 1e-6
        warning = one["residual"]["warning"]
        assert "has structure, which noise has not" in warning and "times as strong at edges" in warning
        assert one["residual"]["structure"] > 1.1


def test_the_report_says_it_in_words_and_in_a_table(case, measures):
    page = (case / "out/report.html").read_text()
    assert "What a composite does to the image" in page
    text = re.sub(r"<[^>]+>", " ", page)
    noise = measures["original"]["noise"]["sigma"]
    for one in measures["composites"]:
        said = re.search(rf"k = {one['k']}: ([^<]*?)\.\s", text).group(1)
        if one["k"] < 20:
            assert f"noise falls from {noise:.1f} to {one['noise']['sigma']:.1f} HU" in said, said
        assert f"a pixel is off by {one['rmse']:.1f} HU" in text
        assert f"{one['reference']['psnr']:.2f}" in page and f"{one['noise']['sigma']:.2f}" in page
    assert page.count("Warning: what is left out has structure") == 2
    table = re.search(r'<table id="measures">.*?</table>', page, re.DOTALL).group(0)
    assert table.count("<tr>") == 5 and "PSNR to the reference (dB)" in table
    assert page.count("<svg viewBox") == 2


def test_every_number_of_threads_gives_the_same_figures(case, tmp_path):
    options = ("--composite", "2,5,20", "--emit", "parquet,png,report,dicom", "--no-patient-data")
    given = ("--input", case / "noisy", "--reference", case / "truth", *options)
    run = decompose(*given, "--output", tmp_path / "one", "--threads", "1")
    assert run.code == 0, run.err
    same(tmp_path / "one", case / "out")


def test_verify_measures_again_and_says_what_it_did_not(case, tmp_path):
    checked = tomobasis("verify", case / "out", "--input", case / "noisy")
    assert checked.code == 0, checked.err
    assert "not checked  the measures against the reference" in checked.out
    checked = tomobasis("verify", case / "out", "--input", case / "noisy", "--reference", case / "truth")
    assert checked.code == 0 and "not checked" not in checked.out, checked.err
    other = tomobasis("verify", case / "out", "--input", case / "noisy", "--reference", case / "noisy")
    assert other.code == 4 and "measures" in other.err, other.err
    # A figure that was changed, with a seal that is right.
    manifest = manifest_of(case / "out")
    manifest["measures"]["composites"][0]["ssim"] += 1e-9
    changed = tmp_path / "changed"
    shutil.copytree(case / "out", changed)
    write_sealed(changed, manifest)
    found = tomobasis("verify", changed, "--input", case / "noisy")
    assert found.code == 4 and "measures.composites[0].ssim" in found.err, found.err


def test_compare_tells_other_figures_apart_and_calls_them_no_difference(case, tmp_path):
    run = decompose("--input", case / "noisy", "--output", tmp_path / "out", "--composite", "2,5,20")
    assert run.code == 0, run.err
    assert "reference" not in manifest_of(tmp_path / "out")["measures"]
    compared = tomobasis("compare", case / "out", tmp_path / "out")
    assert compared.code == 0 and "measures." in compared.out, compared.out + compared.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--reference", "gone/folder"], "--reference: there is no such file or folder"),
        (
            ["--reference", "1.2.3"],
            "--reference: no series of the input is called so; give its UID, one of these ids, or a",
        ),
        (
            ["--reference", "both"],
            "--reference: it holds 2 series; give the folder of one, or the UID or short id of a",
        ),
        (["--reference", "none"], "--reference: it holds no files; give the folder of a DICOM series"),
        (
            ["--reference", "small"],
            "--reference: it has 20 slices of 140 x 180, and the scan has 20 slices of 150 x 180",
        ),
        (["--reference", "few"], "--reference: it has 12 slices of 150 x 180, and the scan has 20 slices of 150 x 180"),
        (["--reference", "truth", "--emit", "parquet"], "--reference: composites are measured with the report"),
        (["--reference", "truth", "--series", "all"], "--reference: a reference is that of one series"),
    ],
)
def test_a_reference_that_cannot_be_compared_with_is_one_line(case, tmp_path, words, says):
    if not (case / "small").exists():
        truth = body(20, 150, 180)
        write(case / "small", truth[:, :140], "1.2.826.0.1.3")
        write(case / "few", truth[:12], "1.2.826.0.1.4")
        (case / "none").mkdir()
        (case / "both").mkdir()
        (case / "both/small").symlink_to(case / "small")
        (case / "both/few").symlink_to(case / "few")
    words = [str(case / word) if (case / word).is_dir() else word for word in words]
    run = decompose("--input", case / "noisy", "--output", tmp_path / "out", *words)
    assert run.code == 2 and len(run.errors) == 1 and run.errors[0].startswith(f"error: {says}"), run.err
    assert list(tmp_path.iterdir()) == []


def test_a_reference_is_a_series_of_the_input_too(case, tmp_path):
    both = tmp_path / "both"
    both.mkdir()
    (both / "noisy").symlink_to(case / "noisy")
    (both / "truth").symlink_to(case / "truth")
    given = ("--input", both, "--series", "1.2.826.0.1.1.101", "--reference", "1.2.826.0.1.2.101")
    run = decompose(*given, "--output", tmp_path / "out", "--composite", "2,5,20")
    assert run.code == 0, run.err
    assert manifest_of(tmp_path / "out")["measures"] == manifest_of(case / "out")["measures"]


def test_what_is_left_out_of_a_reference_or_lies_elsewhere_is_told(case, tmp_path):
    other = shutil.copytree(case / "truth", tmp_path / "other")
    paths = sorted(path for path in other.rglob("*") if path.is_file())
    for path in paths:
        ds = pydicom.dcmread(path)
        ds.PixelSpacing = [2.5, 2.5]
        ds.save_as(path)
    shutil.copy(paths[3], other / "copy")
    given = ("--input", case / "noisy", "--composite", "2,5,20")
    run = decompose(*given, "--output", tmp_path / "out", "--reference", other)
    assert run.code == 0, run.err
    notes = [line.strip() for line in run.err.splitlines() if "--reference: " in line]
    assert any("1 slice that repeats another" in note for note in notes), run.err
    assert any("its pixels are 2.5 x 2.5 mm apart, those of the scan" in note for note in notes), run.err
    run = decompose(*given, "--output", tmp_path / "alike", "--reference", case / "truth")
    assert run.code == 0 and "--reference: " not in run.err, run.err


def test_slices_without_pixels_far_apart_have_no_correlation_of_them(tmp_path):
    write(tmp_path / "tiny", np.random.default_rng(3).normal(0, 300, (6, 2, 3)), "1.2.826.0.1.9")
    run = decompose("--input", tmp_path / "tiny", "--output", tmp_path / "out", "--composite", "1,2,3")
    assert run.code == 0, run.err
    for one in manifest_of(tmp_path / "out")["measures"]["composites"]:
        assert one["residual"]["autocorrelation"] is None and one["residual"]["warning"] is None
    assert tomobasis("verify", tmp_path / "out", "--input", tmp_path / "tiny").code == 0


def test_padding_alone_has_no_noise(tmp_path):
    write(tmp_path / "scan", np.full((5, 40, 40), 30.0), "1.2.826.0.1.8")
    for path in (path for path in (tmp_path / "scan").rglob("*") if path.is_file()):
        ds = pydicom.dcmread(path)
        value = int(ds.pixel_array[0, 0])
        ds.add_new("PixelPaddingValue", "SS" if ds.PixelRepresentation else "US", value)
        ds.save_as(path)
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "out")
    assert run.code == 0, run.err
    manifest = manifest_of(tmp_path / "out")
    assert manifest["series"]["padding"]["pixels"] == 5 * 40 * 40
    assert manifest["result"]["noise"] is None
    assert all(one["global_noise"] is None for one in manifest["measures"]["composites"])


def test_values_that_are_no_hu_have_no_noise_or_edges(tmp_path):
    _, paths = made_scan(tmp_path / "scan", slices=8, rows=60, columns=70)
    for path in paths:
        ds = pydicom.dcmread(path)
        ds.RescaleType = "US"
        ds.save_as(path)
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "out", "--composite", "3")
    assert run.code == 0, run.err
    found = manifest_of(tmp_path / "out")["measures"]
    assert (found["regions"], found["edges"]) == (0, 0)
    (one,) = found["composites"]
    assert one["noise"] is None and one["sharpness"] is None and one["residual"]["structure"] is None
    assert one["rmse"] > 0 and 0 < one["ssim"] < 1 and len(one["residual"]["autocorrelation"]) == 8
    assert "Noise was not measured" in (tmp_path / "out/report.html").read_text()


@pytest.mark.parametrize("emitted", ["parquet", "parquet,png"])
def test_without_a_report_nothing_is_measured(case, tmp_path, emitted):
    run = decompose("--input", case / "noisy", "--output", tmp_path / "out", "--emit", emitted)
    assert run.code == 0, run.err
    assert "measures" not in manifest_of(tmp_path / "out")


@pytest.mark.spark
def test_the_job_writes_the_same_figures_and_refuses_a_reference(case, tmp_path, job):
    given = ("--input", case / "noisy", "--composite", "2,5,20")
    run = decompose(*given, "--output", tmp_path / "command")
    assert run.code == 0, run.err
    done = job(*given, "--output", tmp_path / "job")
    assert done.code == 0, done.err
    same(tmp_path / "job", tmp_path / "command")
    refused = job(*given, "--output", tmp_path / "none", "--reference", case / "truth")
    assert refused.code == 2 and "--reference: the job does not measure" in refused.err, refused.err
    assert not Path(tmp_path / "none").exists()
