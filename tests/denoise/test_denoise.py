"""`tomobasis denoise`, as a user runs it: what pydicom reads of the series, and what is printed."""

import base64
import hashlib
import json
import os
import re
import shutil

import numpy as np
import pydicom
import pytest

from running import decompose, made_scan, secrets, tomobasis


def denoise(*arguments):
    return tomobasis("denoise", *arguments)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A synthetic scan, its files in slice order, and the denoised series."""
    base = tmp_path_factory.mktemp("denoise")
    scan, sources = made_scan(base / "scan", slices=48, rows=120, columns=160)
    run = denoise("--input", base / "scan", "--output", base / "out", "--threads", "2")
    assert run.code == 0, run.err
    return scan, sources, base, run


def slices(folder):
    return [pydicom.dcmread(path) for path in sorted((folder / "dicom").iterdir())]


def test_every_slice_is_there_with_the_sources_geometry_and_a_name_of_its_own(case):
    _, sources, base, run = case
    made, theirs = slices(base / "out"), [pydicom.dcmread(path) for path in sources]
    assert len(made) == len(theirs)
    assert len({d.SeriesInstanceUID for d in made}) == 1
    for ours, source in zip(made, theirs, strict=True):
        assert ours.ImagePositionPatient == source.ImagePositionPatient
        assert ours.SOPInstanceUID != source.SOPInstanceUID and ours.SeriesInstanceUID != source.SeriesInstanceUID
        assert ours.StudyInstanceUID == source.StudyInstanceUID
        assert ours.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert list(ours.ImageType)[:2] == ["DERIVED", "SECONDARY"]
        assert ours.SeriesDescription.startswith("denoised")
        assert "local patch SVD, strength 0.75" in ours.DerivationDescription
        assert ours.RescaleIntercept == source.RescaleIntercept
    assert "noise " in run.out and "WARNING" not in run.out


def test_noise_is_removed_and_the_mean_stays(case):
    _, sources, base, _ = case
    before = np.stack([pydicom.dcmread(path).pixel_array for path in sources]).astype(float)
    after = np.stack([d.pixel_array for d in slices(base / "out")]).astype(float)
    effect = json.loads((base / "out/manifest.json").read_text())["effect"]
    assert effect["after"]["sigma"] < 0.5 * effect["before"]["sigma"]
    assert abs((before - after).mean()) < 0.1 * effect["before"]["sigma"]
    assert not effect["removed"]["alarm"]


def test_the_digests_are_those_of_the_pixels_that_pydicom_reads_and_the_seal_holds(case):
    _, sources, base, run = case
    text = (base / "out/manifest.json").read_text()
    manifest = json.loads(text)

    def digest(files):
        each = (hashlib.sha256(file.pixel_array.astype("<i4").tobytes()).digest() for file in files)
        return hashlib.sha256(b"".join(each)).hexdigest()

    assert manifest["digests"]["denoised"] == digest(slices(base / "out"))
    assert manifest["digests"]["pixels"] == digest([pydicom.dcmread(path) for path in sources])
    assert manifest["digests"]["denoised"] in run.out
    seal = manifest["run"]["manifest_sha256"]
    assert hashlib.sha256(text.replace(seal, "0" * 64, 1).encode()).hexdigest() == seal
    listed = {file["path"] for file in manifest["files"]}
    found = {str(path.relative_to(base / "out")) for path in (base / "out").rglob("*") if path.is_file()}
    assert found == listed | {"manifest.json", "report.html", "_SUCCESS"}


def test_nothing_names_the_patient_without_patient_data(case, tmp_path):
    scan, _, base, _ = case
    run = denoise("--input", base / "scan", "--output", tmp_path / "out", "--no-patient-data")
    assert run.code == 0, run.err
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    written += (run.out + run.err).encode()
    for secret in secrets(scan):
        assert secret.encode() not in written, secret
    manifest = (base / "out/manifest.json").read_text()
    for secret in secrets(scan):
        assert secret not in manifest


def test_runs_give_the_same_bytes_on_any_number_of_threads(case, tmp_path):
    _, _, base, _ = case
    for threads in ("1", "3"):
        run = denoise("--input", base / "scan", "--output", tmp_path / threads, "--threads", threads)
        assert run.code == 0, run.err
        for path in (base / "out/dicom").iterdir():
            assert (tmp_path / threads / "dicom" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--strength", "2"], 2, "--strength"),
        (["--quality", "great"], 2, "--quality"),
        (["--series", "1.2.3"], 2, "--series"),
    ],
)
def test_wrong_options_are_one_line_and_leave_nothing(case, tmp_path, words, code, says):
    _, _, base, _ = case
    run = denoise("--input", base / "scan", "--output", tmp_path / "out", *words)
    assert run.code == code and len(run.errors) == 1 and says in run.errors[0], run.err
    assert list(tmp_path.iterdir()) == []


def test_too_few_slices_are_refused(case, tmp_path):
    _, sources, _, _ = case
    (tmp_path / "scan").mkdir()
    for path in sources[:3]:
        shutil.copy(path, tmp_path / "scan")
    run = denoise("--input", tmp_path / "scan", "--output", tmp_path / "out")
    assert run.code == 3 and "at least 4 are needed" in run.errors[0], run.err
    assert os.listdir(tmp_path) == ["scan"]


def edited(sources, folder, change):
    """The scan with each slice's stored pixels and header changed."""
    folder.mkdir()
    for number, path in enumerate(sources):
        d = pydicom.dcmread(path)
        d.set_pixel_data(change(number, d, d.pixel_array), d.PhotometricInterpretation, d.BitsStored)
        d.save_as(folder / path.name)
    return folder


def test_slices_that_drift_are_refused_for_they_show_no_noise(case, tmp_path):
    _, sources, _, _ = case
    scan = edited(sources, tmp_path / "scan", lambda number, _, pixels: pixels + np.asarray(20 * number, pixels.dtype))
    run = denoise("--input", scan, "--output", tmp_path / "out")
    assert run.code == 3 and "one, two and three slices apart" in run.errors[0], run.err
    assert os.listdir(tmp_path) == ["scan"]


def test_a_background_of_one_value_makes_the_noise_no_smaller(case, tmp_path):
    _, sources, base, _ = case

    def change(_, d, pixels):
        pixels = pixels.copy()
        # 0 HU, which tissue may have too.
        pixels[:, :60] = -int(d.RescaleIntercept)
        return pixels

    run = denoise("--input", edited(sources, tmp_path / "scan", change), "--output", tmp_path / "out")
    assert run.code == 0, run.err
    sigma = [
        json.loads((folder / "manifest.json").read_text())["noise"]["sigma"]
        for folder in (base / "out", tmp_path / "out")
    ]
    assert abs(sigma[1] / sigma[0] - 1) < 0.15, sigma


def test_no_denoised_voxel_becomes_padding(case, tmp_path):
    _, sources, _, _ = case
    value = int(np.median(pydicom.dcmread(sources[20]).pixel_array[30:60, 40:70]))

    def change(_, d, pixels):
        d.add_new(0x00280120, "SS" if d.PixelRepresentation else "US", value)
        return pixels

    run = denoise("--input", edited(sources, tmp_path / "scan", change), "--output", tmp_path / "out")
    assert run.code == 0, run.err
    before = np.stack([pydicom.dcmread(path).pixel_array for path in sources])
    after = np.stack([d.pixel_array for d in slices(tmp_path / "out")])
    assert (before == value).any() and np.array_equal(before == value, after == value)


def test_a_denoised_series_is_a_scan_again(case, tmp_path):
    _, _, base, _ = case
    run = decompose("--input", base / "out/dicom", "--output", tmp_path / "result", "--emit", "parquet")
    assert run.code == 0, run.err


def test_help_names_what_it_does_to_details():
    run = denoise("--help")
    assert run.code == 0 and "--strength" in run.out and "docs/denoise.md" in run.out


def test_the_report_shows_what_was_removed_and_loads_nothing(case):
    scan, _, base, run = case
    page = (base / "out/report.html").read_text()
    manifest = json.loads((base / "out/manifest.json").read_text())
    effect = manifest["effect"]
    for said in (
        manifest["digests"]["denoised"],
        f"{effect['before']['sigma']:.2f}",
        f"{effect['after']['mean_frequency']:.3f}",
        f"{effect['removed']['mean']:+.2f} HU",
        f"{effect['removed']['structure']:.2f} (an alarm above 1.1)",
        f"{100 * manifest['details'][0]['kept']:.0f} %",
        "no medical device",
    ):
        assert said in page, said
    # Its one script is that which its policy names; tests/report/test_denoised_browser.py runs it.
    assert page.count('<script type="module">') == 1 and "default-src 'none'" in page
    assert re.search(r"script-src 'sha256-[\w+/=]+'\"", page) and "report.html" in run.out
    for name in ("denoised", "noise"):
        file = base / f"out/pictures/{name}.png"
        assert base64.b64encode(file.read_bytes()).decode() in page
        listed = next(one for one in manifest["files"] if one["path"] == f"pictures/{name}.png")
        assert listed["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert manifest["run"]["report"]["sha256"] == hashlib.sha256(page.encode()).hexdigest()
    assert not any(secret in page for secret in secrets(scan))


def test_details_that_could_not_be_measured_are_said(case, tmp_path):
    _, sources, _, _ = case

    def change(_, d, pixels):
        del d.PixelSpacing
        return pixels

    run = denoise("--input", edited(sources[:12], tmp_path / "scan", change), "--output", tmp_path / "out")
    assert run.code == 0 and "detail       not measured: the headers do not say" in run.out, run.out + run.err

    def change(_, d, pixels):
        d.PixelSpacing = [0.01, 0.01]  # a disc is larger than the image
        return pixels

    run = denoise("--input", edited(sources[:12], tmp_path / "small", change), "--output", tmp_path / "tiny")
    assert run.code == 0 and run.out.count("no flat place") == 2 and "keep less" not in run.out, run.out + run.err


def test_what_cannot_be_written_is_refused_without_an_option_that_denoise_does_not_have(case, tmp_path):
    _, sources, _, _ = case
    (tmp_path / "scan").mkdir()
    for path in sources[:12]:
        d = pydicom.dcmread(path)
        d.SOPInstanceUID = d.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
        d.save_as(tmp_path / "scan" / path.name)
    run = denoise("--input", tmp_path / "scan", "--output", tmp_path / "out")
    said = "error: --input: derived DICOM needs a SOP Instance UID of its own in each file"
    assert run.code == 3 and run.errors == [said], run.err
    assert os.listdir(tmp_path) == ["scan"]
