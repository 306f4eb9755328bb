"""Several volumes in one series: each is listed and decomposed with its own pixels, all of them only on purpose."""

import hashlib
import json
import shutil
import struct
import subprocess

import numpy as np
import pydicom
import pytest
import volumes

from oracle import result
from running import SHARED, decompose, submit, tomobasis

KINDS = volumes.makers()


def digest(stack):
    """The digest `pixels` of stored slices in series order (docs/format.md)."""
    slices = [hashlib.sha256(np.asarray(pixels).astype("<i4").tobytes()).digest() for pixels in stack]
    return hashlib.sha256(b"".join(slices)).hexdigest()


def listed(folder):
    run = tomobasis("inspect", folder, "--json")
    assert run.code == 0, run.err
    return json.loads(run.out)["series"]


def pixels(way, folder, out, *options):
    run = way("--input", folder, "--output", out, "--emit", "parquet", *options)
    assert run.code == 0, run.err
    return result.read(out).manifest["digests"]["pixels"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_volume_is_a_series_with_its_own_pixels(kind, tmp_path):
    made = KINDS[kind](tmp_path / "scan")
    series = listed(tmp_path / "scan")
    ids = [one["id"] for one in series]
    assert len(set(ids)) == 2 and {one["slices"] for one in series} == {volumes.PLACES}, series
    digests = [pixels(decompose, tmp_path / "scan", tmp_path / i, "--series", i) for i in ids]
    assert sorted(digests) == sorted(digest(stack) for stack in made.volumes)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "derived" not in kind])
def test_all_volumes_are_one_matrix_with_join_only(kind, tmp_path):
    made = KINDS[kind](tmp_path / "scan")
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "result")
    assert run.code == 2 and "--join" in run.err and len(run.errors) == 1, run.err
    assert not (tmp_path / "result").exists()
    assert pixels(decompose, tmp_path / "scan", tmp_path / "result", "--join") == digest(made.joined)
    warnings = result.read(tmp_path / "result").manifest["series"]["warnings"]
    assert [note for note in warnings if note["kind"] == "joined" and "2 volumes" in note["text"]], warnings


def test_a_joined_result_is_verified_with_join(tmp_path):
    volumes.classic(tmp_path / "scan", volumes.CLASSIC_CT["dual energy"])
    pixels(decompose, tmp_path / "scan", tmp_path / "result", "--join")
    assert tomobasis("verify", tmp_path / "result", "--input", tmp_path / "scan", "--join").code == 0
    assert tomobasis("verify", tmp_path / "result", "--input", tmp_path / "scan").code == 2
    part = listed(tmp_path / "scan")[0]["id"]
    assert tomobasis("verify", tmp_path / "result", "--input", tmp_path / "scan", "--series", part).code == 4


def test_the_listing_says_what_a_volume_is_without_text_of_the_header(tmp_path):
    secret = ("SMITH^A", "SMITH^B")
    volumes.classic(tmp_path / "kernels", volumes.setting(ConvolutionKernel=secret))
    assert {label for one in listed(tmp_path / "kernels") for label in one["part"]} == {
        "kernel 1 of 2",
        "kernel 2 of 2",
    }
    types = tuple(["ORIGINAL", "PRIMARY", one] for one in secret)
    volumes.classic(tmp_path / "types", volumes.setting(ImageType=types))
    run = tomobasis("inspect", tmp_path / "types")
    assert run.code == 0 and "kind of image 2 of 2" in run.out and "SMITH" not in run.out + run.err, run.out


@pytest.mark.skipif(not shutil.which("dcm2niix"), reason="dcm2niix is not installed")
def test_dcm2niix_finds_as_many_volumes_in_classic_images(tmp_path):
    for kind in volumes.CLASSIC_CT | volumes.CLASSIC_MR:
        folder, out = tmp_path / kind / "scan", tmp_path / kind / "nifti"
        KINDS[kind](folder)
        out.mkdir()
        command = ["dcm2niix", "-z", "n", "-b", "n", "-f", "%s", "-o", out, folder]
        subprocess.run(command, check=True, capture_output=True)
        shapes = [struct.unpack("<8h", path.read_bytes()[40:56])[3:5] for path in out.glob("*.nii")]
        assert all(slices == volumes.PLACES for slices, _ in shapes), (kind, shapes)
        assert sum(times for _, times in shapes) == len(listed(folder)) == 2, (kind, shapes)


def shifted(by, **values):
    """What tells two volumes apart, the second so far beside the first along the table."""

    def dress(d, v, place):
        volumes.setting(**values)(d, v, place)
        d.ImagePositionPatient = ["0", "0", str(volumes.STEP_MM * place + by * v)]

    return dress


BESIDE = {
    "two patients": shifted(0, PatientID=("P1", "P2")),
    "two patients, one after the other": shifted(50, PatientID=("P1", "P2")),
    "two studies at half a step": shifted(1.25, StudyInstanceUID=("1.2.3", "1.2.4")),
    "repeated 0.01 mm beside": shifted(0.01, AcquisitionNumber=(1, 2)),
    "repeated 0.3 mm beside": shifted(0.3),
    "repeated 1 mm beside": shifted(1, AcquisitionNumber=(1, 2)),
    "thickness at half a step": shifted(1.25, SliceThickness=("2.5", "5")),
    "kinds of image at half a step": shifted(
        1.25, ImageType=(["ORIGINAL", "PRIMARY", "AXIAL", "A"], ["ORIGINAL", "PRIMARY", "AXIAL", "B"])
    ),
}


@pytest.mark.parametrize("kind", BESIDE)
def test_volumes_beside_each_other_and_of_other_patients_are_series_with_their_own_pixels(kind, tmp_path):
    made = volumes.classic(tmp_path / "scan", BESIDE[kind])
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "result")
    assert run.code == 2 and "--join" in run.err, run.err
    ids = [one["id"] for one in listed(tmp_path / "scan")]
    digests = [pixels(decompose, tmp_path / "scan", tmp_path / i, "--series", i) for i in ids]
    assert sorted(digests) == sorted(digest(stack) for stack in made.volumes)


@pytest.mark.skipif(not shutil.which("dcm2niix"), reason="dcm2niix is not installed")
def test_passes_of_one_acquisition_are_one_volume_as_for_dcm2niix(tmp_path):
    made = volumes.classic(
        tmp_path / "scan", shifted(volumes.STEP_MM / 2, AcquisitionNumber=(1, 2), SliceThickness=("1.25", "1.25"))
    )
    (tmp_path / "nifti").mkdir()
    command = ["dcm2niix", "-z", "n", "-b", "n", "-f", "%s", "-o", tmp_path / "nifti", tmp_path / "scan"]
    subprocess.run(command, check=True, capture_output=True)
    (nifti,) = (tmp_path / "nifti").glob("*.nii")
    assert struct.unpack("<8h", nifti.read_bytes()[40:56])[3:5] == (2 * volumes.PLACES, 1)
    assert pixels(decompose, tmp_path / "scan", tmp_path / "result") == digest(made.joined)


def test_a_missing_part_of_a_concatenation_is_an_error(tmp_path):
    made = volumes.enhanced(tmp_path / "scan", lambda group, v, place: None, "CT", volumes=1)
    path = tmp_path / "scan" / "enhanced.dcm"
    d = pydicom.dcmread(path)
    d.ConcatenationUID, d.InConcatenationNumber, d.InConcatenationTotalNumber = "1.2.5", 1, 2
    d.save_as(path)
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "result")
    assert (
        run.code == 3
        and "written in more parts than the 1 that can be read" in run.err
        and not (tmp_path / "result").exists()
    ), run.err
    d.InConcatenationTotalNumber = 1
    d.save_as(path)
    assert pixels(decompose, tmp_path / "scan", tmp_path / "result") == digest(made.volumes[0])


def case(name):
    if not (SHARED / "cases" / name).is_dir():
        pytest.skip(f"the case {name} is not beside this checkout (TOMOBASIS_SHARED names another place)")
    matrix = np.load(SHARED / "cases" / f"{name}.npy")
    return SHARED / "cases" / name, [column.astype(np.int64) for column in matrix.T]


def test_two_phases_are_two_volumes_of_the_known_matrix(tmp_path):
    folder, columns = case("two_phases")
    ids = [one["id"] for one in listed(folder)]
    assert len(ids) == 2
    digests = [pixels(decompose, folder, tmp_path / i, "--series", i) for i in ids]
    assert sorted(digests) == sorted(digest(columns[first::2]) for first in (0, 1))
    assert pixels(decompose, folder, tmp_path / "both", "--join") == digest(columns)


def test_a_series_uid_for_each_slice_is_one_series_of_the_known_matrix(tmp_path):
    folder, columns = case("series_uid_per_slice")
    for options in ((), ("--series", "largest")):
        out = tmp_path / f"result{len(options)}"
        assert pixels(decompose, folder, out, *options) == digest(columns)
        warnings = result.read(out).manifest["series"]["warnings"]
        assert [note for note in warnings if note["kind"] == "series-uids"], warnings


@pytest.mark.spark
def test_the_job_chooses_and_joins_as_the_command_does(tmp_path):
    made = volumes.classic(tmp_path / "scan", volumes.CLASSIC_CT["two kernels"])
    part = listed(tmp_path / "scan")[0]["id"]
    assert pixels(submit, tmp_path / "scan", tmp_path / "part", "--series", part) in map(digest, made.volumes)
    assert pixels(submit, tmp_path / "scan", tmp_path / "both", "--join") == digest(made.joined)
