"""A scan that a sender stored again under new SOP Instance UIDs, whole or in part, numbered as before or anew: its slices count once, and
a note says so. Singular values are those that NumPy has of the scan alone."""

import json
import shutil
import tarfile

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEGLSLossless, RLELossless, generate_uid
from test_input_forms import enhanced

from oracle import result
from running import decompose, made_scan, tomobasis

GRID = (12, 24, 20)


@pytest.fixture
def scan(tmp_path):
    return made_scan(tmp_path / "scan", *GRID)[1]


def values(paths):
    """NumPy's singular values of the slices in HU."""
    headers = [pydicom.dcmread(path) for path in paths]
    hu = [d.pixel_array.astype(float) * float(d.RescaleSlope) + float(d.RescaleIntercept) for d in headers]
    return np.linalg.svd(np.stack([slice.ravel() for slice in hu], axis=1), compute_uv=False)


def send_again(paths, folder, change=lambda dataset: None):
    folder.mkdir(exist_ok=True)
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.InstanceCreationDate, dataset.InstanceCreationTime = "20260102", "101500"
        change(dataset)
        dataset.save_as(folder / path.name)


def run(way, out, *inputs, options=()):
    inputs = [word for path in inputs for word in ("--input", path)]
    return way(*inputs, "--output", out, "--emit", "parquet", *options)


def check(done, out, expected, repeated):
    assert done.code == 0, done.err
    read = result.read(out)
    assert len(read.s) == len(expected)
    np.testing.assert_allclose(read.s, expected, rtol=1e-12)
    (note,) = [note for note in read.manifest["series"]["left_out"] if note["kind"] == "duplicate"]
    said = "1 slice that repeats another" if repeated == 1 else f"{repeated} slices that repeat others"
    assert note["text"].startswith(f"{said} (sent again under another SOP Instance UID: ")
    assert note["text"] in done.err
    assert not [note for note in read.manifest["series"]["warnings"] if note["kind"] == "same-position"]


def compress(syntax):
    return lambda dataset: dataset.compress(syntax, generate_instance_uid=False)


@pytest.mark.parametrize("part", [slice(None), slice(3, 9)], ids=["whole", "half"])
@pytest.mark.parametrize("syntax", [None, RLELossless, JPEGLSLossless], ids=lambda uid: uid and uid.name)
def test_slices_that_were_sent_again_count_once(way, scan, part, syntax, tmp_path):
    send_again(scan[part], scan[0].parent / "again", compress(syntax) if syntax else lambda dataset: None)
    out = tmp_path / "result"
    check(run(way, out, scan[0].parent), out, values(scan), len(scan[part]))


def test_a_tar_of_the_second_sending_beside_the_folder_of_the_first(way, scan, tmp_path):
    send_again(scan, tmp_path / "again")
    with tarfile.open(tmp_path / "again.tar", "w") as archive:
        archive.add(tmp_path / "again", "again")
    out = tmp_path / "result"
    check(run(way, out, scan[0].parent, tmp_path / "again.tar"), out, values(scan), len(scan))


def test_a_multi_frame_image_that_was_sent_again(way, scan, tmp_path):
    folder, out = tmp_path / "frames", tmp_path / "result"
    folder.mkdir()
    enhanced(scan, folder / "all")
    send_again([folder / "all"], folder / "again")
    check(run(way, out, folder), out, values(scan), len(scan))


def test_a_second_sending_as_a_series_of_its_own_is_no_copy(way, scan, tmp_path):
    uid = generate_uid()
    send_again(scan, scan[0].parent / "again", lambda dataset: setattr(dataset, "SeriesInstanceUID", uid))
    done = run(way, tmp_path / "result", scan[0].parent)
    assert done.code == 2 and "the input holds 2 series" in done.err
    out = tmp_path / "named"
    done = run(way, out, scan[0].parent, options=("--series", uid))
    assert done.code == 0, done.err
    np.testing.assert_allclose(result.read(out).s, values(scan), rtol=1e-12)


def invert(dataset):
    dataset.PixelData = bytes(byte ^ 1 for byte in dataset.PixelData)


def test_one_other_slice_in_a_second_sending_is_an_error_that_names_both_or_skipped(way, scan, tmp_path):
    folder = scan[0].parent
    send_again(scan, folder / "again")
    send_again(scan[4:5], folder / "again", invert)
    done = run(way, tmp_path / "result", folder)
    assert done.code == 3 and len(done.errors) == 1, done.err
    assert done.errors[0].count(" of 24 (id ") == 2 and "(so at 1 of 12 positions)" in done.errors[0]
    assert not (tmp_path / "result").exists()
    out = tmp_path / "skipped"
    check(run(way, out, folder, options=("--on-bad-slice", "skip")), out, values(scan[:4] + scan[5:]), 11)


def same_number(dataset):
    dataset.InstanceNumber = 7


def no_number(dataset):
    dataset.InstanceNumber = None


OTHERS = {
    "all": (slice(None), lambda dataset: None),
    "all, without numbers": (slice(None), no_number),
    "all, with one number": (slice(None), same_number),
    "one": (slice(3, 4), lambda dataset: None),
    "two, numbered anew": (slice(2, 4), lambda dataset: numbered_anew(dataset)),
    "six, numbered anew": (slice(3, 9), lambda dataset: numbered_anew(dataset)),
}


@pytest.mark.parametrize("part, change", OTHERS.values(), ids=OTHERS)
def test_slices_with_other_pixels_at_their_positions_are_an_error_and_one_matrix_with_join(
    way, scan, part, change, tmp_path
):
    folder, out = scan[0].parent, tmp_path / "result"
    send_again(scan[part], folder / "again", lambda dataset: (change(dataset), invert(dataset)))
    second = sorted((folder / "again").iterdir())
    files, positions = len(scan) + len(second), f"(so at {len(second)} of {len(scan)} positions)"
    for options in [(), ("--on-bad-slice", "skip")] if len(second) > 1 else [()]:
        done = run(way, out, folder, options=options)
        assert done.code == 3 and len(done.errors) == 1 and not out.exists(), done.err
        assert done.errors[0].count(f" of {files} (id ") == 2 and positions in done.errors[0]
        assert "--join" in done.errors[0]
    done = run(way, out, folder, options=("--join",))
    assert done.code == 0, done.err
    same = "1 slice" if len(second) == 1 else f"{len(second)} slices"
    assert f"{same} at the position of the slice before" in done.err
    np.testing.assert_allclose(result.read(out).s, values(scan + second), rtol=1e-9, atol=1e-6)


REWRITTEN = {
    "tube current": lambda dataset: setattr(dataset, "XRayTubeCurrent", 210),
    "no Rescale Type": lambda dataset: delattr(dataset, "RescaleType") if "RescaleType" in dataset else None,
    "Bits Stored": lambda dataset: (setattr(dataset, "BitsStored", 14), setattr(dataset, "HighBit", 13)),
    "orientation": lambda dataset: setattr(
        dataset,
        "ImageOrientationPatient",
        [f"{float(number) * 0.999999:.6f}" for number in dataset.ImageOrientationPatient],
    ),
    "padding value": lambda dataset: dataset.add_new("PixelPaddingValue", "SS", -32000),
}


@pytest.mark.parametrize("change", REWRITTEN.values(), ids=REWRITTEN)
def test_attributes_that_enter_no_entry_of_the_matrix_make_no_other_slices(way, scan, change, tmp_path):
    again, out = scan[0].parent / "again", tmp_path / "result"
    send_again(scan[2:7], again, change)
    check(run(way, out, scan[0].parent), out, values(scan), 5)


def test_the_same_entries_by_another_rescale_are_copies(way, scan, tmp_path):
    again, out = scan[0].parent / "again", tmp_path / "result"

    def stored_seven_higher(dataset):
        dataset.PixelData = (dataset.pixel_array + 7).tobytes()
        dataset.RescaleIntercept = float(dataset.RescaleIntercept) - 7 * float(dataset.RescaleSlope)

    send_again(scan[2:7], again, stored_seven_higher)
    check(run(way, out, scan[0].parent), out, values(scan), 5)


def test_verify_and_derived_dicom_of_a_scan_that_was_sent_again(scan, tmp_path):
    folder, out = scan[0].parent, tmp_path / "result"
    shutil.copytree(folder, tmp_path / "alone")
    send_again(scan, folder / "again")
    done = decompose("--input", folder, "--output", out, "--emit", "dicom,parquet", "--composite", "3")
    assert done.code == 0, done.err
    assert len(list(out.glob("dicom/*/*.dcm"))) == len(scan)
    alone = decompose("--input", tmp_path / "alone", "--output", tmp_path / "a", "--emit", "parquet")
    assert alone.code == 0, alone.err
    digests = [result.read(path).manifest["digests"] for path in (out, tmp_path / "a")]
    assert digests[0]["root"] == digests[1]["root"]


def numbered_anew(dataset):
    dataset.InstanceNumber += 100
    dataset.SeriesNumber = 77
    dataset.ContentDate, dataset.ContentTime = "20260102", f"1015{dataset.InstanceNumber % 60:02}"


def later(dataset):
    dataset.ContentDate, dataset.ContentTime = "20260102", "101500"


def listed(folder):
    done = tomobasis("inspect", "--json", folder)
    assert done.code == 0, done.err
    return [(series["slices"], series["id"]) for series in json.loads(done.out)["series"]]


@pytest.mark.parametrize("change", [numbered_anew, later])
@pytest.mark.parametrize("part", [slice(None), slice(3, 9), slice(0, 1)], ids=["whole", "half", "one"])
def test_slices_that_were_sent_again_under_other_numbers_count_once(way, scan, part, change, tmp_path):
    send_again(scan[part], scan[0].parent / "again", change)
    out = tmp_path / "result"
    check(run(way, out, scan[0].parent), out, values(scan), len(scan[part]))
    assert [slices for slices, _ in listed(scan[0].parent)] == [len(scan)]


def test_slices_sent_again_under_other_numbers_in_a_tar_gz_and_twice_and_in_another_syntax(way, scan, tmp_path):
    again, out = tmp_path / "again", tmp_path / "result"
    send_again(scan, again, numbered_anew)
    send_again(scan[2:5], again / "once more", lambda dataset: (later(dataset), compress(RLELossless)(dataset)))
    with tarfile.open(tmp_path / "again.tar.gz", "w:gz") as archive:
        archive.add(again, "again")
    check(run(way, out, scan[0].parent, tmp_path / "again.tar.gz"), out, values(scan), len(scan) + 3)


def test_a_multi_frame_image_that_was_sent_again_under_another_number(way, scan, tmp_path):
    folder, out = tmp_path / "frames", tmp_path / "result"
    folder.mkdir()
    enhanced(scan, folder / "all")
    send_again([folder / "all"], folder / "again", lambda dataset: setattr(dataset, "InstanceNumber", 2))
    check(run(way, out, folder), out, values(scan), len(scan))


def test_two_volumes_told_apart_by_numbers_alone_are_volumes_though_some_slices_are_alike(way, scan, tmp_path):
    folder = scan[0].parent
    send_again(scan[:3], folder / "again", numbered_anew)
    send_again(scan[3:], folder / "again", lambda dataset: (numbered_anew(dataset), invert(dataset)))
    done = run(way, tmp_path / "result", folder)
    assert done.code == 2 and len(done.errors) == 1, done.err
    found = []
    for slices, name in listed(folder):
        out = tmp_path / name
        done = run(way, out, folder, options=("--series", name))
        assert done.code == 0 and slices == len(scan), done.err
        found.append(result.read(out).s)
    second = sorted((folder / "again").iterdir())
    expected = [values(scan), values(second)]
    assert all(any(np.allclose(s, one, rtol=1e-9, atol=1e-6) for one in expected) for s in found)
    assert not np.allclose(*found)


def test_a_part_of_which_some_slices_were_sent_again_and_others_are_new_is_an_error(way, scan, tmp_path):
    folder = scan[0].parent
    send_again(scan[3:9], folder / "again", numbered_anew)
    send_again(scan[4:5], folder / "again", lambda dataset: (numbered_anew(dataset), invert(dataset)))
    done = run(way, tmp_path / "result", folder)
    assert done.code == 3 and len(done.errors) == 1, done.err
    assert done.errors[0].count(" of 18 (id ") == 2 and "(so at 1 of 12 positions)" in done.errors[0]


def test_two_turns_that_agree_in_most_slices_are_said_to_be_one_scan(way, scan, tmp_path):
    folder, out = scan[0].parent, tmp_path / "result"
    send_again(scan, folder / "again", lambda dataset: numbered_anew(dataset))
    send_again(scan[4:5], folder / "again", lambda dataset: (numbered_anew(dataset), invert(dataset)))
    said = "11 of 12 slices have the same position and pixels, as if one scan had been sent twice and 1 slice had changed (file "
    done = run(way, out, folder)
    assert done.code == 2 and len(done.errors) == 1 and said in done.errors[0], done.err
    done = run(way, out, folder, options=("--series", listed(folder)[0][1]))
    assert done.code == 0 and said in done.err, done.err


def test_attributes_that_tell_acquisitions_apart_keep_slices_that_overlap(way, scan, tmp_path):
    out = tmp_path / "result"
    send_again(scan, tmp_path / "1", lambda dataset: setattr(dataset, "AcquisitionNumber", 1))
    send_again(scan[8:9], tmp_path / "2", lambda dataset: (setattr(dataset, "AcquisitionNumber", 2), invert(dataset)))
    done = run(way, out, tmp_path / "1", tmp_path / "2")
    assert done.code == 0 and "1 slice at the position of the slice before" in done.err, done.err
    assert len(result.read(out).s) == 13
