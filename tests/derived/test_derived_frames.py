"""Composites of multi-frame scans as multi-frame DICOM."""

import hashlib
import json
import re
import shutil
import sys

import numpy as np
import pydicom
import pytest
from enhanced_image import item, multi_frame
from pydicom.pixels import pixel_array

from anatomy import Phantom
from ct_image import write
from make_ct_series import hu_slices
from running import PATIENT, ROOT, decompose, described, made_scan, secrets, start, submit, tomobasis

RANKS = (3, 10)
SLICES = 24
# Slices of the two files; frames of the second one do not ascend.
FILES = (range(0, SLICES, 2), range(SLICES - 1, 0, -2))
EMIT = ("--emit", "parquet,dicom", "--composite", ",".join(map(str, RANKS)))


def write_scan(folder, modality="CT", transfer_syntax="explicit"):
    """A synthetic scan whose slices alternate between two multi-frame files; returns (Scan, paths)."""
    scan = described(SLICES, 60, 80)
    hu = dict(hu_slices(Phantom(), SLICES, 60, 80))
    folder.mkdir(parents=True)
    paths = [folder / "b.dcm", folder / "a.dcm"]
    for number, (path, slices) in enumerate(zip(paths, FILES, strict=True), 1):
        write(multi_frame(scan, number, [(j, hu[j]) for j in slices], modality), path, transfer_syntax)
    return scan, paths


def derive(base, *options, modality="CT"):
    scan, sources = write_scan(base / "scan", modality)
    run = decompose("--input", base / "scan", "--output", base / "result", *EMIT, *options)
    assert run.code == 0, run.err
    return scan, sources, base / "result"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return derive(tmp_path_factory.mktemp("frames"))


def files(out, k):
    """The derived files in the order of the sources."""
    found = [out / f"dicom/k={k}/slice-{first:05}.dcm" for first in (0, 1)]
    assert sorted((out / f"dicom/k={k}").iterdir()) == found
    return found


def tool(name):
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


def errors(path):
    """What dciodvfy calls errors in a file, without the numbers of items."""
    found = re.findall(r"^Error - .*", start([tool("dciodvfy"), path]).err, re.MULTILINE)
    return {re.sub(r"\[\d+\]", "[]", line) for line in found}


def manifest(out):
    return json.loads((out / "manifest.json").read_text())


def test_the_pixels_are_those_that_single_frames_would_have(plain, tmp_path):
    made_scan(tmp_path / "scan", SLICES, 60, 80)
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "result", *EMIT)
    assert run.code == 0, run.err
    _, _, out = plain
    for k in RANKS:
        single = [pydicom.dcmread(p).pixel_array for p in sorted((tmp_path / f"result/dicom/k={k}").iterdir())]
        for path, slices in zip(files(out, k), FILES, strict=True):
            assert np.array_equal(pydicom.dcmread(path).pixel_array, [single[j] for j in slices])
    assert manifest(out)["derived"] == manifest(tmp_path / "result")["derived"]


def test_the_manifest_has_the_digest_of_the_frames_that_pydicom_reads(plain):
    _, _, out = plain
    for series in manifest(out)["derived"]["series"]:
        frames = {}
        for path, slices in zip(files(out, series["k"]), FILES, strict=True):
            frames |= dict(zip(slices, pydicom.dcmread(path).pixel_array, strict=True))
        digests = [hashlib.sha256(frames[j].astype("<i4").tobytes()).digest() for j in range(SLICES)]
        assert series["pixels"] == hashlib.sha256(b"".join(digests)).hexdigest()


def test_the_program_beside_the_format_finds_the_same_digests(plain):
    _, sources, out = plain
    run = start([sys.executable, ROOT / "docs/recompute_digests.py", out, "--dicom", sources[0].parent])
    assert run.code == 0, run.out + run.err
    assert "pixels of k=3" in run.out and "pixels of k=10" in run.out


def test_groups_are_the_sources_but_for_what_says_that_they_are_derived(plain):
    _, sources, out = plain
    for source, path in zip(sources, files(out, 3), strict=True):
        old, new = pydicom.dcmread(source), pydicom.dcmread(path)
        assert (new.SOPClassUID, new.NumberOfFrames) == (old.SOPClassUID, old.NumberOfFrames)
        assert new.ImageType == ["DERIVED", "PRIMARY", "VOLUME", "ADDITION"]
        assert new.DimensionIndexSequence == old.DimensionIndexSequence
        old_shared, new_shared = old.SharedFunctionalGroupsSequence[0], new.SharedFunctionalGroupsSequence[0]
        assert new_shared.CTImageFrameTypeSequence[0].FrameType == new.ImageType
        del old_shared.CTImageFrameTypeSequence, new_shared.CTImageFrameTypeSequence
        assert new_shared == old_shared
        pairs = zip(old.PerFrameFunctionalGroupsSequence, new.PerFrameFunctionalGroupsSequence, strict=True)
        for number, (old_frame, new_frame) in enumerate(pairs, 1):
            derivation = new_frame.DerivationImageSequence[0]
            image = derivation.SourceImageSequence[0]
            assert derivation.DerivationCodeSequence[0].CodeValue == "113042"
            assert (image.ReferencedSOPInstanceUID, image.ReferencedFrameNumber) == (old.SOPInstanceUID, number)
            del new_frame.DerivationImageSequence
            assert new_frame == old_frame


def test_the_encoding_of_the_source_does_not_show(plain, tmp_path):
    write_scan(tmp_path / "scan", transfer_syntax="implicit")
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "result", *EMIT)
    assert run.code == 0, run.err
    for ours, theirs in zip(files(tmp_path / "result", 3), files(plain[2], 3), strict=True):
        assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_dciodvfy_finds_no_error_that_the_source_does_not_have(tmp_path, modality):
    for i, options in enumerate([(), ("--no-patient-data",), ("--dicom-syntax", "jpeg-ls")]):
        _, sources, out = derive(tmp_path / str(i), *options, modality=modality)
        for source, path in zip(sources, files(out, 3), strict=True):
            assert errors(path) - errors(source) == set(), path


def test_frames_of_another_orientation_are_left_out(tmp_path):
    _, sources = write_scan(tmp_path / "scan")
    data = pydicom.dcmread(sources[0])
    frames = data.PerFrameFunctionalGroupsSequence
    axial = data.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
    del data.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
    for number, frame in enumerate(frames):
        sagittal = item(ImageOrientationPatient=["0", "1", "0", "0", "0", "-1"])
        frame.PlaneOrientationSequence = sagittal if number in (3, 5) else axial
    (tmp_path / "mixed").mkdir()
    data.save_as(tmp_path / "mixed/source.dcm")
    listed = json.loads(tomobasis("inspect", "--json", tmp_path / "mixed").out)["series"]
    largest = max(listed, key=lambda one: one["slices"])["id"]
    run = decompose("--input", tmp_path / "mixed", "--output", tmp_path / "result", *EMIT, "--series", largest)
    assert run.code == 0 and "2 slices of other series or volumes" in run.err, run.err
    (path,) = (tmp_path / "result/dicom/k=3").iterdir()
    new = pydicom.dcmread(path)
    kept = [number for number in range(1, 13) if number not in (4, 6)]
    groups = new.PerFrameFunctionalGroupsSequence
    named = [group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber for group in groups]
    assert named == kept and new.NumberOfFrames == len(new.pixel_array) == 10
    contents = [group.FrameContentSequence[0] for group in groups]
    assert [list(content.DimensionIndexValues) for content in contents] == [[1, place] for place in range(1, 11)]
    assert [content.InStackPositionNumber for content in contents] == list(range(1, 11))
    assert errors(path) - errors(tmp_path / "mixed/source.dcm") == set()


@pytest.mark.parametrize("plugin", ["pyjpegls", "gdcm"])
def test_pydicom_reads_frames_of_jpeg_ls(plain, tmp_path, plugin):
    _, _, out = derive(tmp_path, "--dicom-syntax", "jpeg-ls")
    for a, b in zip(files(plain[2], 10), files(out, 10), strict=True):
        assert pydicom.dcmread(b).file_meta.TransferSyntaxUID == pydicom.uid.JPEGLSLossless
        assert b.stat().st_size < a.stat().st_size
        assert np.array_equal(pixel_array(b, decoding_plugin=plugin), pydicom.dcmread(a).pixel_array)


def test_dcmtk_decodes_jpeg_ls_and_renders_a_frame(plain, tmp_path):
    _, _, out = derive(tmp_path, "--dicom-syntax", "jpeg-ls")
    for a, b in zip(files(plain[2], 10), files(out, 10), strict=True):
        done = start([tool("dcmdjpls"), b, tmp_path / "decoded.dcm"])
        assert done.code == 0, done.err
        assert np.array_equal(pydicom.dcmread(tmp_path / "decoded.dcm").pixel_array, pydicom.dcmread(a).pixel_array)
    done = start([tool("dcm2pnm"), "+F", "7", "+on", files(plain[2], 10)[0], tmp_path / "frame.png"])
    assert done.code == 0 and (tmp_path / "frame.png").stat().st_size > 1000, done.err


def test_without_patient_data_nothing_names_the_patient(tmp_path):
    scan, _, out = derive(tmp_path, "--no-patient-data")
    identifying = [*secrets(scan), scan.uid("instance", 1), scan.uid("event"), PATIENT, "20200101"]
    for path in (p for p in out.rglob("*") if p.is_file()):
        text = path.read_bytes().decode("latin-1")
        assert [secret for secret in identifying if secret in text] == [], path.name


def test_a_derived_series_is_listed_left_out_and_decomposed_by_name(plain, tmp_path):
    _, sources, out = plain
    shutil.copytree(sources[0].parent, tmp_path / "both")
    shutil.copytree(out / "dicom/k=3", tmp_path / "both/dicom")
    listed = json.loads(tomobasis("inspect", "--json", tmp_path / "both").out)["series"]
    assert sorted((one["role"], one["slices"]) for one in listed) == [("derived", SLICES), ("original", SLICES)]
    run = decompose("--input", tmp_path / "both", "--output", tmp_path / "result")
    assert run.code == 0, run.err
    assert manifest(tmp_path / "result")["digests"] == manifest(out)["digests"]
    derived = next(one["id"] for one in listed if one["role"] == "derived")
    run = decompose("--input", tmp_path / "both", "--output", tmp_path / "again", "--series", derived)
    assert run.code == 0, run.err
    assert manifest(tmp_path / "again")["digests"]["pixels"] == manifest(out)["derived"]["series"][0]["pixels"]


@pytest.mark.spark
@pytest.mark.parametrize("parallelism", [1, 5])
def test_spark_writes_the_files_that_the_command_writes(plain, tmp_path, parallelism):
    _, sources, out = plain
    conf = [f"spark.default.parallelism={parallelism}"]
    run = submit("--input", sources[0].parent, "--output", tmp_path / "result", *EMIT, conf=conf)
    assert run.code == 0, run.err
    for k in RANKS:
        for ours, theirs in zip(files(tmp_path / "result", k), files(out, k), strict=True):
            assert ours.read_bytes() == theirs.read_bytes()
    assert manifest(tmp_path / "result")["derived"] == manifest(out)["derived"]
