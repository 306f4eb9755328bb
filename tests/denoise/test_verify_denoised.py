"""`verify`, `compare` and `--overwrite` of denoised series: what was changed is found, named, and not lost."""

import json
import shutil

import pydicom
import pytest

from results import write_sealed
from running import decompose, made_scan, tomobasis


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A scan, its files in slice order, and a folder with it and with what was made of it."""
    base = tmp_path_factory.mktemp("verify")
    _, sources = made_scan(base / "scan", slices=40, rows=60, columns=70)
    run = tomobasis("denoise", "--input", base / "scan", "--output", base / "out", "--quality", "fast")
    assert run.code == 0, run.err
    return base, sources


@pytest.fixture
def copy(case, tmp_path):
    return shutil.copytree(case[0] / "out", tmp_path / "copy")


def verify(folder, scan, *options):
    return tomobasis("verify", folder, "--input", scan, *options)


def edit(path, **attributes):
    dataset = pydicom.dcmread(path)
    for name, value in attributes.items():
        setattr(dataset, name, value)
    dataset.save_as(path)


def change_pixel(path):
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)


def exchange(folder):
    one, other = (folder / f"dicom/slice-0000{place}.dcm" for place in (2, 3))
    first = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(first)


def with_manifest(folder, change, write=write_sealed):
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    write(folder, manifest)


def unsealed(folder, manifest):
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_denoised_series_verifies_against_its_scan(case):
    base, _ = case
    run = verify(base / "out", base / "scan", "--threads", "1")
    assert run.code == 0, run.err
    assert "every byte is what the input gives" in run.out and "every value; not those of `run`" in run.out
    assert json.loads((base / "out/manifest.json").read_text())["digests"]["denoised"] in run.out


CHANGES = {
    "a pixel": (lambda f: change_pixel(f / "dicom/slice-00004.dcm"), "dicom: the digest of its pixels"),
    "a header": (lambda f: edit(f / "dicom/slice-00004.dcm", SeriesNumber=7), "dicom/slice-00004.dcm: the input gives"),
    "two files exchanged": (exchange, "dicom/slice-00002.dcm: the input gives other bytes"),
    "a file less": (lambda f: (f / "dicom/slice-00004.dcm").unlink(), "dicom/slice-00004.dcm: it is missing"),
    "a file more": (lambda f: (f / "dicom/notes.txt").write_text("x"), "dicom/notes.txt: it is not a file of"),
    "a picture": (lambda f: change_pixel(f / "pictures/denoised.png"), "pictures/denoised.png: its SHA-256 is"),
    "the report": (lambda f: change_pixel(f / "report.html"), "report.html: its SHA-256 is"),
    "a value": (
        lambda f: with_manifest(f, lambda m: m["effect"]["after"].update(sigma=0.1)),
        "manifest.json: effect.after.sigma is 0.1, the input gives",
    ),
    "the strength": (
        lambda f: with_manifest(f, lambda m: m["parameters"].update(strength=0.5)),
        "the digest of the denoised pixels is not the manifest's",
    ),
    "a strength that is none": (
        lambda f: with_manifest(f, lambda m: m["parameters"].update(strength=5)),
        "parameters.strength is 5",
    ),
    "the run": (
        lambda f: with_manifest(f, lambda m: m["run"].update(cores=99), unsealed),
        "manifest.json: its seal",
    ),
    "no seal": (
        lambda f: with_manifest(f, lambda m: m["run"].pop("manifest_sha256"), unsealed),
        "manifest.json: run.manifest_sha256 is missing",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_is_named_with_exit_code_4(case, copy, name):
    change, says = CHANGES[name]
    change(copy)
    run = verify(copy, case[0] / "scan")
    assert run.code == 4 and len(run.errors) == 1 and says in run.errors[0], run.err


def test_another_scan_is_a_difference_and_a_copy_under_other_uids_is_none(case, tmp_path):
    base, sources = case
    made_scan(tmp_path / "other", slices=40, rows=60, columns=70, seed=2)
    run = verify(base / "out", tmp_path / "other")
    assert run.code == 4 and "not those that were denoised" in run.errors[0], run.err
    (tmp_path / "renamed").mkdir()
    uids = [pydicom.uid.generate_uid() for _ in sources]
    for path, uid in zip(sources, uids, strict=True):
        dataset = pydicom.dcmread(path)
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
        dataset.save_as(tmp_path / "renamed" / path.name)
    run = verify(base / "out", tmp_path / "renamed")
    assert run.code == 0 and "under other instance UIDs" in run.out, run.err


@pytest.mark.parametrize(
    ("options", "remove", "code", "says"),
    [
        (["--join"], None, 2, "--join"),
        (["--on-bad-slice", "skip"], None, 2, "--on-bad-slice"),
        ([], "_SUCCESS", 3, "_SUCCESS"),
        ([], "manifest.json", 3, "manifest.json"),
    ],
)
def test_what_cannot_be_verified_is_one_line(case, copy, options, remove, code, says):
    if remove:
        (copy / remove).unlink()
    run = verify(copy, case[0] / "scan", *options)
    assert run.code == code and len(run.errors) == 1 and says in run.errors[0], run.err


def test_two_are_compared(case, copy, tmp_path):
    base, _ = case
    run = tomobasis("compare", base / "out", copy)
    assert run.code == 0 and "42, every byte" in run.out and "the same values" in run.out, run.err

    def made(name, *options):
        done = tomobasis(
            "denoise", "--input", base / "scan", "--output", tmp_path / name, "--quality", "fast", *options
        )
        assert done.code == 0, done.err
        return tmp_path / name

    run = tomobasis("compare", base / "out", made("plain", "--no-patient-data"))
    assert run.code == 0 and "written in different ways" in run.out and "patient_data" in run.out, run.err
    run = tomobasis("compare", base / "out", made("weak", "--strength", "0.2"))
    assert run.code == 4 and "first difference is the digest of the denoised pixels" in run.errors[0], run.err
    before = (copy / "manifest.json").read_bytes()
    for name, change in {
        "clipped": lambda m: m.update(clipped=7),
        "noise.sigma": lambda m: m["noise"].update(sigma=1.5),
        "parameters.patch[0]": lambda m: m["parameters"]["patch"].__setitem__(0, 9),
    }.items():
        with_manifest(copy, change)
        run = tomobasis("compare", base / "out", copy)
        assert run.code == 4 and run.errors[0].startswith(f"error: manifest.json: {name} is "), run.out + run.err
        (copy / "manifest.json").write_bytes(before)
    edit(copy / "dicom/slice-00004.dcm", SeriesNumber=7)
    run = tomobasis("compare", base / "out", copy)
    assert run.code == 4 and "dicom/slice-00004.dcm: A and B have other bytes" in run.errors[0], run.err
    done = decompose("--input", base / "scan", "--output", tmp_path / "result", "--emit", "parquet", "--rank", "1")
    assert done.code == 0, done.err
    for pair in ((base / "out", tmp_path / "result"), (tmp_path / "result", base / "out")):
        run = tomobasis("compare", *pair)
        assert run.code == 3 and "two of one kind" in run.errors[0], run.err


def test_what_was_changed_in_a_denoised_series_is_not_overwritten(case, copy):
    again = ("denoise", "--input", case[0] / "scan", "--output", copy, "--quality", "fast", "--overwrite")
    for change, named in (
        (lambda f: change_pixel(f / "dicom/slice-00004.dcm"), "dicom in the folder of a denoised series was changed"),
        (lambda f: with_manifest(f, lambda m: m["run"].update(cores=99), unsealed), "manifest.json in the folder of"),
        (lambda f: (f / "dicom/notes.txt").write_text("x"), "1 more file"),
    ):
        change(copy)
        before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
        run = tomobasis(*again)
        assert run.code == 2 and len(run.errors) == 1 and named in run.errors[0], run.err
        assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before
        shutil.rmtree(copy)
        shutil.copytree(case[0] / "out", copy)
    assert tomobasis(*again).code == 0
    shutil.rmtree(copy / "dicom")
    assert tomobasis(*again).code == 0
    assert verify(copy, case[0] / "scan").code == 0


def test_what_was_changed_in_a_result_is_not_overwritten(case, tmp_path):
    base, _ = case
    options = ("--emit", "parquet,png,report,dicom", "--rank", "3", "--composite", "2,3", "--overwrite")
    again = ("--input", base / "scan", "--output", tmp_path / "result", *options)

    def append(name):
        with (tmp_path / "result" / name).open("ab") as file:
            file.write(b" ")

    assert decompose(*again).code == 0
    for change, named in (
        (lambda: append("report.html"), "report.html in the result folder was changed"),
        (lambda: append("pictures/composites.png"), "pictures/composites.png in the result folder"),
        (lambda: change_pixel(tmp_path / "result/dicom/k=2/slice-00004.dcm"), "dicom/k=2 in the result folder"),
        (lambda: with_manifest(tmp_path / "result", lambda m: m["run"].update(cores=99), unsealed), "manifest.json in"),
    ):
        change()
        run = decompose(*again)
        assert run.code == 2 and len(run.errors) == 1 and named in run.errors[0], run.err
        shutil.rmtree(tmp_path / "result")
        assert decompose(*again).code == 0
    assert decompose(*again).code == 0


def test_slices_twice_at_a_place_are_refused_without_advice_that_denoise_does_not_take(case, tmp_path):
    _, sources = case
    (tmp_path / "scan").mkdir()
    for path in sources:
        shutil.copy(path, tmp_path / "scan")
    twice = tmp_path / "scan" / "again.dcm"
    shutil.copy(sources[4], twice)
    uid = pydicom.uid.generate_uid()
    edit(twice, SOPInstanceUID=uid)
    change_pixel(twice)
    run = tomobasis("denoise", "--input", tmp_path / "scan", "--output", tmp_path / "out")
    assert run.code == 3 and "same position" in run.errors[0] and "--join" not in run.errors[0], run.err
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "out")
    assert run.code == 3 and "--join" in run.errors[0], run.err
