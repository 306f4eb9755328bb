"""Composites as DICOM: what others make of the files, and what their pixels are."""

import hashlib
import json
import re
import shutil
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.pixels import pixel_array

from ct_image import Scan, Storage
from oracle import composite, result, scan
from running import ROOT, decompose, made_scan, secrets, start, submit, tomobasis

RANKS = (3, 10)
STORAGES = [Storage(), Storage(intercept=0, signed=True, bits=16), Storage(bits=16)]


@dataclass(frozen=True)
class Derived:
    """A synthetic scan, its result with derived DICOM, and where they are."""

    folder: Path
    sources: list
    scan: Scan
    out: Path

    @property
    def manifest(self):
        return json.loads((self.out / "manifest.json").read_text())

    def files(self, k):
        return sorted((self.out / f"dicom/k={k}").iterdir())


def derive(base, *options, **storage):
    made, sources = made_scan(base / "scan", 24, 60, 80, **storage)
    ranks = ",".join(map(str, RANKS))
    emit = ["--emit", "parquet,dicom", "--composite", ranks, *options]
    run = decompose("--input", base / "scan", "--output", base / "result", *emit)
    assert run.code == 0, run.err
    return Derived(base / "scan", sources, made, base / "result")


@pytest.fixture(scope="module", params=STORAGES, ids=lambda s: f"{'signed' if s.signed else 'unsigned'} {s.bits} bits")
def case(request, tmp_path_factory):
    storage = request.param
    base = tmp_path_factory.mktemp("derived")
    return derive(base, intercept=storage.intercept, signed=storage.signed, bits=storage.bits)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return derive(tmp_path_factory.mktemp("plain"))


def pixels(path):
    return pydicom.dcmread(path).pixel_array.astype(np.int64)


def tool(name):
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def errors(path):
    """What dciodvfy calls errors in a file."""
    return set(re.findall(r"^Error - .*", start([tool("dciodvfy"), path]).err, re.MULTILINE))


def test_every_value_is_the_composite_rounded_to_the_grid_of_its_source(case):
    theirs, ours = scan.read(case.folder), result.read(case.out)
    for k in RANKS:
        whole = composite.slices(theirs.hu, ours.v[:, :k])
        for j, path in enumerate(case.files(k)):
            found = pixels(path).ravel()
            exact = np.clip(whole[:, j] - case.scan.storage.intercept, *case.scan.storage.limits)
            assert np.abs(found - exact).max() < 0.5 + 1e-6, path


def test_single_values_are_what_the_definition_says(case):
    theirs, ours = scan.read(case.folder), result.read(case.out)
    places = np.random.default_rng(3)
    storage = case.scan.storage
    for k in RANKS:
        v, files = ours.v[:, :k], case.files(k)
        for j in places.integers(0, len(files), 3):
            found = pixels(files[j]).ravel()
            for row in places.integers(0, len(found), 8):
                value = composite.chained_value(theirs.hu[row], v, v[j])
                assert found[row] == composite.stored(value, 1, storage.intercept, storage.limits), (k, j, row)


def test_the_manifest_has_the_digest_of_the_pixels_that_pydicom_reads(case):
    for series in case.manifest["derived"]["series"]:
        slices = [hashlib.sha256(pixels(path).astype("<i4").tobytes()).digest() for path in case.files(series["k"])]
        assert series["pixels"] == hashlib.sha256(b"".join(slices)).hexdigest()


def test_the_program_beside_the_format_finds_the_same_digest(plain):
    run = start([sys.executable, ROOT / "docs/recompute_digests.py", plain.out, "--dicom", plain.folder])
    assert run.code == 0, run.out + run.err
    assert "pixels of k=3" in run.out and "pixels of k=10" in run.out


@pytest.mark.parametrize("plugin", [True, False], ids=["with a plugin", "without one"])
def test_the_program_reads_jpeg_ls_where_pydicom_can_and_else_says_so(tmp_path, plugin):
    packed = derive(tmp_path, "--dicom-syntax", "jpeg-ls")
    if not plugin:  # modules that cannot be imported stand before the real ones
        for name in ("jpeg_ls", "gdcm"):
            (tmp_path / f"none/{name}.py").parent.mkdir(exist_ok=True)
            (tmp_path / f"none/{name}.py").write_text("raise ImportError")
    program = [sys.executable, ROOT / "docs/recompute_digests.py", packed.out, "--dicom", packed.folder]
    run = start(program, PYTHONPATH=str(tmp_path / "none"))
    assert run.code == 0, run.out + run.err
    assert ("pixels of k=3" in run.out) == plugin and ("skipped" in run.out) != plugin, run.out


def test_the_patient_the_place_and_the_window_are_the_sources(plain):
    changed = {
        "ImageType", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "DerivationDescription",
        "SourceImageSequence", "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "PixelData",
        "ContributingEquipmentSequence", "SeriesDate", "SeriesTime", "ContentDate", "ContentTime",
    }  # fmt: skip
    for source, path in zip(plain.sources, plain.files(3), strict=True):
        old, new = pydicom.dcmread(source), pydicom.dcmread(path)
        kept = [element.keyword for element in old if element.keyword not in changed]
        assert [name for name in kept if old[name].value != new[name].value] == []
        assert {element.keyword for element in new} - changed <= set(kept)
        assert new.ImageType == ["DERIVED", "SECONDARY", "AXIAL"]
        assert new.SourceImageSequence[0].ReferencedSOPInstanceUID == old.SOPInstanceUID
        assert new.SOPInstanceUID == new.file_meta.MediaStorageSOPInstanceUID
        assert new.ContributingEquipmentSequence[0].Manufacturer == old.Manufacturer
        assert "k = 3 basis vectors of the 24 slices" in new.DerivationDescription


def test_uids_are_valid_new_and_one_per_series_and_slice(plain):
    read = {k: [pydicom.dcmread(path, stop_before_pixels=True) for path in plain.files(k)] for k in RANKS}
    series = {k: {d.SeriesInstanceUID for d in slices} for k, slices in read.items()}
    instances = [d.SOPInstanceUID for slices in read.values() for d in slices]
    assert all(len(uids) == 1 for uids in series.values()) and series[3] != series[10]
    assert len(set(instances)) == len(instances) == 48
    assert all(uid.is_valid and uid.startswith("2.25.") for uid in instances)
    versions = {(int(uid.split(".")[2]) >> 76 & 0xF, int(uid.split(".")[2]) >> 62 & 0x3) for uid in instances}
    assert versions == {(8, 2)}


def test_dciodvfy_finds_no_error_that_the_source_does_not_have(plain, tmp_path):
    removed = derive(tmp_path / "removed", "--no-patient-data")
    packed = derive(tmp_path / "packed", "--dicom-syntax", "jpeg-ls")
    before = errors(plain.sources[0])
    for case in (plain, removed, packed):
        for path in (case.files(3)[0], case.files(10)[-1]):
            assert errors(path) - before == set(), path


def test_dciodvfy_finds_no_new_error_in_series_of_real_scanners(shared, tmp_path):
    for name in ("philips_head_phantom_axial_S2020", "philips_tilt_S21610"):
        for option in ([], ["--no-patient-data"]):
            out = tmp_path / f"{name} {len(option)}"
            run = decompose("--input", shared(name), "--output", out, "--rank", "2", "--emit", "dicom", *option)
            assert run.code == 0, run.err
            before = set().union(*(errors(path) for path in islice(images(shared(name)), 3)))
            assert errors(sorted((out / "dicom/k=2").iterdir())[5]) - before == set()


def images(folder):
    """Paths of the CT slices under a folder, in the order of their names."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        d = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        if d.get("SOPClassUID") == pydicom.uid.CTImageStorage and "LOCALIZER" not in d.get("ImageType", []):
            yield path


@pytest.fixture(scope="module")
def both_syntaxes(tmp_path_factory):
    """One series of signed pixels of 12 bits, derived uncompressed and in JPEG-LS."""
    base = tmp_path_factory.mktemp("syntaxes")
    plain = derive(base / "plain", signed=True, bits=12)
    packed = derive(base / "packed", "--dicom-syntax", "jpeg-ls", signed=True, bits=12)
    assert plain.manifest["derived"]["series"] == packed.manifest["derived"]["series"]
    return list(zip(plain.files(10)[:4], packed.files(10)[:4], strict=True))


@pytest.mark.parametrize("plugin", ["pyjpegls", "gdcm"])
def test_pydicom_reads_jpeg_ls_to_the_pixels_of_the_uncompressed_series(both_syntaxes, plugin):
    for a, b in both_syntaxes:
        assert pydicom.dcmread(b).file_meta.TransferSyntaxUID == pydicom.uid.JPEGLSLossless
        assert b.stat().st_size < a.stat().st_size
        assert np.array_equal(pixel_array(b, decoding_plugin=plugin), pydicom.dcmread(a).pixel_array)


def test_dcmtk_decodes_jpeg_ls_to_the_pixels_of_the_uncompressed_series(both_syntaxes, tmp_path):
    for a, b in both_syntaxes:
        done = start([tool("dcmdjpls"), b, tmp_path / "decoded.dcm"])
        assert done.code == 0, done.err
        low_bits = 0xFFF  # the decoder leaves the unused bits of negative values empty
        decoded = np.frombuffer(pydicom.dcmread(tmp_path / "decoded.dcm").PixelData, "<u2") & low_bits
        assert (decoded == np.frombuffer(pydicom.dcmread(a).PixelData, "<u2") & low_bits).all()


def test_dcmtk_renders_a_slice_in_its_window(plain, tmp_path):
    done = start([tool("dcm2pnm"), "+Wi", "1", "+on", plain.files(10)[12], tmp_path / "slice.png"])
    assert done.code == 0 and (tmp_path / "slice.png").stat().st_size > 1000, done.err


@pytest.mark.spark
@pytest.mark.parametrize("parallelism", [1, 5])
def test_spark_writes_the_files_that_the_command_writes(plain, tmp_path, parallelism):
    ranks = ",".join(map(str, RANKS))
    emit = ["--emit", "parquet,dicom", "--composite", ranks]
    out = tmp_path / "result"
    run = submit("--input", plain.folder, "--output", out, *emit, conf=[f"spark.default.parallelism={parallelism}"])
    assert run.code == 0, run.err
    assert "[6/6] derive" in run.err
    for k in RANKS:
        ours = sorted((out / f"dicom/k={k}").iterdir())
        assert [(p.name, p.read_bytes()) for p in ours] == [(p.name, p.read_bytes()) for p in plain.files(k)]
    assert json.loads((out / "manifest.json").read_text())["derived"] == plain.manifest["derived"]


def test_file_names_and_threads_do_not_matter(plain, tmp_path):
    made_scan(tmp_path / "scan", 24, 60, 80, shuffled=True)
    emit = ["--emit", "dicom", "--composite", "3", "--threads", "1"]
    assert decompose("--input", tmp_path / "scan", "--output", tmp_path / "result", *emit).code == 0
    ours = sorted((tmp_path / "result/dicom/k=3").iterdir())
    assert [p.read_bytes() for p in ours] == [p.read_bytes() for p in plain.files(3)]


def test_without_patient_data_nothing_names_the_patient(tmp_path):
    case = derive(tmp_path, "--no-patient-data")
    for path in (p for p in case.out.rglob("*") if p.is_file()):
        text = path.read_bytes().decode("latin-1")
        assert [secret for secret in secrets(case.scan) if secret in text] == [], path.name
    d = pydicom.dcmread(case.files(3)[0])
    assert (d.PatientName, d.PatientID, d.PatientIdentityRemoved) == ("", "", "YES")
    assert d.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert "MADE HEAD CT" not in str(d)


def test_a_derived_series_is_left_out_when_it_is_found_again(plain, tmp_path):
    shutil.copytree(plain.folder, tmp_path / "both")
    shutil.copytree(plain.out / "dicom", tmp_path / "both/dicom")
    run = tomobasis("inspect", tmp_path / "both")
    assert run.code == 0 and run.out.lower().count("derived") >= 2, run.out
    run = decompose("--input", tmp_path / "both", "--output", tmp_path / "result")
    assert run.code == 0, run.err
    assert result.read(tmp_path / "result").manifest["digests"] == plain.manifest["digests"]


def test_verify_makes_them_again_and_names_a_file_that_was_changed(plain, tmp_path):
    assert tomobasis("verify", plain.out, "--input", plain.folder).code == 0
    shutil.copytree(plain.out, tmp_path / "changed")
    path = tmp_path / "changed/dicom/k=3/slice-00007.dcm"
    path.write_bytes(path.read_bytes().replace(b"DERIVED\\SECONDARY", b"ORIGINAL\\PRIMARY "))
    run = tomobasis("verify", tmp_path / "changed", "--input", plain.folder)
    assert run.code == 4 and "dicom/k=3/slice-00007.dcm" in run.err, run.err


def test_compare_looks_at_derived_series_that_both_results_have(plain, tmp_path):
    packed = derive(tmp_path / "packed", "--dicom-syntax", "jpeg-ls")
    without = tmp_path / "without"
    run = decompose("--input", plain.folder, "--output", without, "--emit", "parquet,dicom", "--composite", "3")
    assert run.code == 0, run.err
    same = tomobasis("compare", plain.out, packed.out)
    assert same.code == 0 and "same derived series" not in same.err, same.err
    fewer = tomobasis("compare", plain.out, without)
    assert fewer.code == 0 and "not the same derived series" in fewer.err, fewer.err
    shutil.copytree(plain.out, tmp_path / "changed")
    path = tmp_path / "changed/dicom/k=10/slice-00007.dcm"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    run = tomobasis("compare", plain.out, tmp_path / "changed")
    assert run.code == 4 and len(run.errors) == 1 and "B: dicom/k=10: the digest of its pixels" in run.err, run.err
    text = (plain.out / "manifest.json").read_text()
    text = text.replace(plain.manifest["derived"]["series"][1]["pixels"], "0" * 64)
    unsealed = text.replace(plain.manifest["run"]["manifest_sha256"], "0" * 64)
    seal = hashlib.sha256(unsealed.encode()).hexdigest()
    for manifest, says in [
        (text, "B: manifest.json: its seal"),
        (text.replace(plain.manifest["run"]["manifest_sha256"], seal), "dicom/k=10"),
    ]:
        (tmp_path / "changed/manifest.json").write_text(manifest)
        run = tomobasis("compare", plain.out, tmp_path / "changed")
        assert run.code == 4 and len(run.errors) == 1 and says in run.err, run.err
