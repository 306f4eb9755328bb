"""A scan with copies of its files, and with files beside it that are none of its slices: what is left out is reported and the digests are those of
the scan alone; what might be a slice, or another slice under its name, is an error."""

import shutil
import zipfile

import pydicom
import pytest
from pydicom.uid import JPEGLSLossless, generate_uid

from oracle import result
from running import decompose, made_scan

GRID = (24, 40, 48)


@pytest.fixture
def scan(tmp_path):
    return made_scan(tmp_path / "scan", *GRID)[1]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The digests of the scan, of its pixels too."""
    base = tmp_path_factory.mktemp("alone")
    made_scan(base / "scan", *GRID)
    assert decompose("--input", base / "scan", "--output", base / "result", "--emit", "parquet").code == 0
    return result.read(base / "result").manifest["digests"]


def digests(run, out):
    assert run.code == 0, run.err
    return result.read(out).manifest["digests"]


def notes(out, kind):
    series = result.read(out).manifest["series"]
    return [note["text"] for note in series["left_out"] + series["warnings"] if note["kind"] == kind]


def changed(source, target, change):
    dataset = pydicom.dcmread(source)
    change(dataset)
    dataset.save_as(target)


def invert(dataset):
    dataset.PixelData = bytes(byte ^ 1 for byte in dataset.PixelData)


def compress(dataset):
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)


def test_copies_under_other_names_in_another_folder_and_in_an_archive_change_nothing(way, scan, alone, tmp_path):
    folder = scan[0].parent
    with zipfile.ZipFile(tmp_path / "some.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in scan[:9]:
            archive.write(path)
    shutil.copytree(folder, folder / "0 again")
    changed(scan[3], folder / "0 compressed", compress)
    out = tmp_path / "result"
    inputs = ("--input", tmp_path / "some.zip", "--input", folder)
    assert digests(way(*inputs, "--output", out, "--emit", "parquet"), out) == alone
    (text,) = notes(out, "duplicate")
    assert text.startswith("34 slices that repeat others (same SOP Instance UID and pixels): file ")


def doubled(dataset):
    """The same HU, stored as twice the integers with half the slope."""
    stored = dataset.pixel_array.astype("int64") * 2
    dataset.PixelData, dataset.RescaleSlope = stored.astype("<i2").tobytes(), "0.5"


def renumbered(dataset):
    dataset.InstanceNumber = 77


def without_uid(dataset):
    del dataset.SOPInstanceUID


@pytest.mark.parametrize("anonymous", [False, True], ids=["one UID", "no UID"])
@pytest.mark.parametrize("change", [doubled, renumbered])
def test_names_do_not_decide_which_of_two_files_of_one_slice_is_used(scan, change, anonymous, tmp_path):
    def both(dataset):
        dataset.PixelData = (dataset.pixel_array // 4).astype("<i2").tobytes()
        if anonymous:
            without_uid(dataset)

    changed(scan[5], scan[5], both)
    found = []
    for names in (("0 first", "zz last"), ("zz last", "0 first")):
        folder = tmp_path / names[0]
        shutil.copytree(scan[0].parent, folder)
        (folder / scan[5].name).rename(folder / names[0])
        changed(folder / names[0], folder / names[1], change)
        out = tmp_path / f"{names[0]} result"
        found.append(digests(decompose("--input", folder, "--output", out, "--emit", "parquet"), out))
        assert len(notes(out, "duplicate")) == 1
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["0 first", "zz last"])
def test_a_copy_with_other_pixels_is_an_error_that_names_both(way, scan, name, tmp_path):
    changed(scan[5], scan[0].parent / name, invert)
    run = way("--input", scan[0].parent, "--output", tmp_path / "result")
    assert run.code == 3, run.err
    assert len(run.errors) == 1 and run.errors[0].count(" of 25 (id ") == 2 and "but differ" in run.errors[0]
    assert not (tmp_path / "result").exists()


@pytest.mark.parametrize("name", ["0 first", "zz last"])
def test_a_slice_with_an_unequal_copy_can_be_skipped(way, scan, name, tmp_path):
    folder, out = scan[0].parent, tmp_path / "result"
    changed(scan[5], folder / name, invert)
    options = ("--emit", "parquet", "--on-bad-slice", "skip")
    skipped = digests(way("--input", folder, "--output", out, *options), out)
    assert len(notes(out, "skipped")) == 1
    (folder / name).unlink()
    scan[5].unlink()
    run = decompose("--input", folder, "--output", tmp_path / "without", "--emit", "parquet")
    assert skipped == digests(run, tmp_path / "without")


def test_strays_beside_a_scan_change_nothing_and_are_said(way, scan, alone, tmp_path):
    folder, out = scan[0].parent, tmp_path / "result"

    def stranger(dataset):
        del dataset.SeriesInstanceUID
        dataset.SOPInstanceUID = generate_uid()
        dataset.FrameOfReferenceUID = generate_uid()

    def without_pixels(dataset):
        del dataset.PixelData
        dataset.SeriesInstanceUID = generate_uid()

    changed(scan[0], folder / "a stranger", stranger)
    changed(scan[1], folder / "a header", without_pixels)
    (folder / "a cut").write_bytes((folder / "a stranger").read_bytes()[:420])
    (folder / "a cut copy").write_bytes(scan[7].read_bytes()[:-50])
    assert digests(way("--input", folder, "--output", out, "--emit", "parquet"), out) == alone
    assert notes(out, "other-series") == [
        "1 slice without Series Instance UID, of no series",
        "1 unusable file of other series",
    ]
    stray = notes(out, "stray")
    assert stray[0] == "1 unusable file of no series", stray
    assert stray[1] == "1 unusable file with the SOP Instance UID of a slice that is used", stray
    assert len(stray) == 4


def test_a_file_that_might_be_the_missing_slice_stops_the_series(way, scan, tmp_path):
    scan[7].write_bytes(scan[7].read_bytes()[:420])
    run = way("--input", scan[0].parent, "--output", tmp_path / "result")
    assert run.code == 3, run.err
    assert "truncated" in run.errors[0] and "of 24 (id " in run.errors[0]
