"""Denoising from Python: voxel for voxel what the command writes, of every type that holds them."""

import json
import shutil
import threading
import time

import numpy as np
import pydicom
import pytest

import tomobasis
from running import made_scan, secrets
from running import tomobasis as command


@pytest.fixture(scope="module", params=["signed", "unsigned"])
def case(request, tmp_path_factory):
    """A scan, its stored pixels, those that the command makes of them, and the folder of both."""
    base = tmp_path_factory.mktemp("denoise")
    signed = request.param == "signed"
    _, paths = made_scan(base / "scan", slices=40, rows=60, columns=70, signed=signed, bits=16)
    run = command("denoise", "--input", base / "scan", "--output", base / "out")
    assert run.code == 0, run.err
    before = [pydicom.dcmread(path) for path in paths]
    after = [pydicom.dcmread(path) for path in sorted((base / "out/dicom").iterdir())]
    return base, before, *(np.stack([d.pixel_array for d in some]) for some in (before, after))


def rescale(datasets):
    return {
        "slope": [float(d.RescaleSlope) for d in datasets],
        "intercept": [float(d.RescaleIntercept) for d in datasets],
    }


def spacing(datasets):
    return abs(float(datasets[1].ImagePositionPatient[2]) - float(datasets[0].ImagePositionPatient[2]))


def test_stored_pixels_become_those_of_the_command(case):
    _, headers, before, after = case
    kept = before.copy()
    for threads in (1, 3):
        found = tomobasis.denoise(before, spacing(headers), **rescale(headers), threads=threads)
        assert found.dtype == before.dtype and np.array_equal(found, after)
    assert np.array_equal(before, kept) and not np.array_equal(before, after)
    for kind in (np.int32, np.int64, before.dtype.newbyteorder(">")):
        other = tomobasis.denoise(before.astype(kind), spacing(headers), **rescale(headers))
        assert other.dtype == kind and np.array_equal(other, after)
    turned = np.asfortranarray(before)[:, ::-1][:, ::-1]
    assert np.array_equal(tomobasis.denoise(turned, spacing(headers), **rescale(headers)), after)


def test_hu_become_those_of_the_command_and_the_report_is_the_manifests(case):
    base, headers, _, after = case
    scan = tomobasis.read(base / "scan")
    step = headers[0].PixelSpacing
    found, report = tomobasis.denoise(scan.hu, scan.slice_spacing, pixel_spacing=tuple(step), report=True)
    linear = rescale(headers)
    hu = after * np.reshape(linear["slope"], (-1, 1, 1)) + np.reshape(linear["intercept"], (-1, 1, 1))
    assert np.array_equal(found, hu)
    manifest = json.loads((base / "out/manifest.json").read_text())
    assert report["windows"] == manifest["windows"]
    assert report["noise"] == manifest["noise"] and report["patch"] == manifest["parameters"]["patch"]
    assert report["details"] == manifest["details"] and report["effect"] == manifest["effect"]


def test_floats_stay_floats_before_rounding(case):
    base, _, _, _ = case
    scan = tomobasis.read(base / "scan")
    whole = tomobasis.denoise(scan.hu, scan.slice_spacing)
    single = tomobasis.denoise(scan.hu.astype(np.float32), scan.slice_spacing)
    double = tomobasis.denoise(scan.hu.astype(np.float64), scan.slice_spacing)
    assert single.dtype == np.float32 and double.dtype == np.float64
    assert np.array_equal(single, double) and np.array_equal(np.rint(single), whole)
    assert not np.array_equal(single, whole)
    assert np.array_equal(tomobasis.denoise(single, scan.slice_spacing, strength=0), single)
    for options in ({"strength": 1}, {"quality": "fast"}):
        assert not np.array_equal(tomobasis.denoise(scan.hu, scan.slice_spacing, **options), whole)


def test_a_series_is_denoised_to_the_bytes_of_the_command(case, tmp_path):
    base, _, _, _ = case
    stages = set()
    made = tomobasis.denoise_series(base / "scan", tmp_path / "out", progress=lambda stage, *_: stages.add(stage))
    assert made.digests == tomobasis.Denoised(base / "out").digests and made.digest[:16] in repr(made)
    assert {"noise", "denoise", "derive"} <= stages
    for path in (base / "out/dicom").iterdir():
        assert (made.folder / "dicom" / path.name).read_bytes() == path.read_bytes()
    assert np.array_equal(made.read().stored, tomobasis.read(base / "out/dicom").stored)
    assert "every byte" in made.verify(base / "scan")
    copy = tmp_path / "copy"
    shutil.copytree(made.folder, copy)
    dataset = pydicom.dcmread(first := min((copy / "dicom").iterdir()))
    dataset.PixelData = bytes([dataset.PixelData[0] ^ 1]) + dataset.PixelData[1:]
    dataset.save_as(first)
    with pytest.raises(tomobasis.VerificationError, match="pixels"):
        tomobasis.Denoised(copy).read()
    (copy / "_SUCCESS").unlink()
    with pytest.raises(tomobasis.InputError, match="_SUCCESS"):
        tomobasis.Denoised(copy)
    shutil.rmtree(copy)
    made_scan(tmp_path / "other", slices=40, rows=60, columns=70, seed=2)
    with pytest.raises(tomobasis.VerificationError, match="pixels"):
        made.verify(tmp_path / "other")
    with pytest.raises(tomobasis.InputError, match="overwrite"):
        tomobasis.denoise_series(base / "scan", tmp_path / "out")
    with pytest.raises(tomobasis.InputError, match="strength"):
        tomobasis.denoise_series(base / "scan", tmp_path / "more", strength=3)
    with pytest.raises(tomobasis.FileError):
        tomobasis.denoise_series(base / "nowhere", tmp_path / "more")
    with pytest.raises(tomobasis.InputError, match="Result"):
        tomobasis.Denoised(tomobasis.decompose(base / "scan", tmp_path / "result", rank=1).folder)
    with pytest.raises(tomobasis.InputError, match="use Denoised"):
        tomobasis.Result(base / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out", "result"]


def volume(**changes):
    noise = np.random.default_rng(1).normal(0, 20, (8, 40, 40)).astype(np.float32)
    for place, value in changes.get("at", {}).items():
        noise[place] = value
    return noise


@pytest.mark.parametrize(
    ("array", "options", "says"),
    [
        (volume()[0], {}, "3 dimensions, not 2"),
        (volume()[:3], {}, "at least 4 are needed"),
        (volume()[:, :20], {}, "at least 24 x 24"),
        (volume(at={(1, 2, 3): np.nan}), {}, "slice 2, row 3, column 4"),
        (volume() + 1000, {}, "flat tissue"),
        (volume(), {"spacing": 7}, "more than 5 mm"),
        (volume(), {"spacing": -1}, "above zero"),
        (volume(), {"strength": 1.5}, "outside 0 to 1"),
        (volume(), {"quality": "great"}, "fast, default or best"),
        (volume(), {"slope": 2}, "floats are HU"),
        (volume().astype(int) * 10000, {}, "neither int16 nor uint16"),
        (volume().astype(int), {"slope": [1, 2]}, "one for each of the 8 slices"),
        (volume().astype(int), {"slope": 0}, "slope 0"),
        (volume() > 0, {}, "of type bool"),
        (volume().astype(complex), {}, "of type complex"),
        (np.ma.masked_array(volume()), {}, "masked"),
        ([np.ma.masked_array(slice_) for slice_ in volume()], {}, "masked"),
        (volume(), {"spacing": None}, "spacing is of the type NoneType"),
        (volume(), {"spacing": "1"}, "spacing is of the type str"),
        (volume(), {"strength": None}, "strength is of the type"),
        (volume(), {"quality": None}, "quality is of the type"),
        (volume(), {"pixel_spacing": 1.0}, "pixel_spacing"),
        (volume(), {"pixel_spacing": (1, 1, 1)}, "pixel_spacing"),
        (volume(), {"pixel_spacing": (0, 1)}, "pixel_spacing"),
        (volume(), {"pixel_spacing": (np.nan, 1)}, "pixel_spacing"),
        (volume(), {"pixel_spacing": "11"}, "pixel_spacing"),
    ],
)
def test_what_is_no_volume_of_hu_is_one_line(array, options, says):
    with pytest.raises(tomobasis.InputError) as caught:
        tomobasis.denoise(array, **{"spacing": 1.0, **options})
    text = str(caught.value)
    assert says in text and "\n" not in text and "--" not in text


def test_what_must_be_known_is_a_warning():
    flat = np.zeros((8, 40, 40), np.int16)
    with pytest.warns(UserWarning, match="no noise could be measured"):
        assert np.array_equal(tomobasis.denoise(flat, 1.0), flat)
    # A checkerboard, whose dark fields lie at the end of the range.
    _, y, x = np.mgrid[:8, :48, :48]
    board = np.where((x // 6 + y // 5) % 2, 155, -45) + np.random.default_rng(1).normal(0, 25, (8, 48, 48))
    board = np.clip(np.rint(board), 0, 255).astype(np.uint8)
    with pytest.warns(UserWarning, match="beyond the stored range"):
        found = tomobasis.denoise(board, 1.0, strength=1, intercept=-150)
    assert found.dtype == np.uint8


def test_other_threads_of_python_go_on_meanwhile(case):
    base, _, _, _ = case
    scan = tomobasis.read(base / "scan")
    steps, over = [], threading.Event()

    def count():
        while not over.is_set():
            steps.append(time.monotonic())
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    began = time.monotonic()
    tomobasis.denoise(scan.hu, scan.slice_spacing, threads=1)
    ended = time.monotonic()
    over.set()
    counter.join()
    assert sum(began < step < ended for step in steps) > 10


def test_a_call_that_is_stopped_ends_and_leaves_nothing(case, tmp_path):
    base, _, _, _ = case
    scan = tomobasis.read(base / "scan")

    def stop(stage, done, total):
        if stage == "denoise" and done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tomobasis.denoise(scan.hu, scan.slice_spacing, progress=stop, threads=1)
    with pytest.raises(KeyboardInterrupt):
        tomobasis.denoise_series(base / "scan", tmp_path / "out", progress=stop, threads=1)
    assert list(tmp_path.iterdir()) == []


def test_errors_name_no_patient_and_no_path(tmp_path):
    scan, paths = made_scan(tmp_path / "scan", slices=40, rows=40, columns=40)
    paths[0].write_bytes(paths[0].read_bytes()[:-100])
    with pytest.raises(tomobasis.InputError) as caught:
        tomobasis.denoise_series(tmp_path / "scan", tmp_path / "out")
    assert not any(secret in str(caught.value) for secret in [*secrets(scan), str(tmp_path)])
