"""What bad input gets, from the job as from the command: one clear line, the right exit code, nothing written, no PHI."""

import os
import re
from dataclasses import dataclass, field

import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG2MPML

from running import decompose, described, made_scan, secrets, submit

USAGE, INPUT = 2, 3


@dataclass
class Case:
    """A prepared situation: the options of the job, the exit code, what the line must say, how many series it lists."""

    input: object
    code: int
    says: tuple
    options: list = field(default_factory=list)
    output: object = None
    listed: int = 0


GRID = (4, 16, 20)  # slices, rows, columns
IDENTIFYING = {word for intercept in (-1024, -1000) for word in secrets(described(*GRID, intercept=intercept))}


def small_scan(folder, **storage):
    return made_scan(folder, *GRID, **storage)[1]


def edit(path, change):
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)


def absent_input(base):
    return Case(base / "absent", INPUT, ("--input",))


def empty_folder(base):
    (base / "scan").mkdir()
    return Case(base / "scan", INPUT, ("--input", "no "))


def no_dicom(base):
    (base / "scan").mkdir()
    (base / "scan/notes.txt").write_text("not an image\n" * 100)
    return Case(base / "scan", INPUT, ("--input", "DICOM"))


def several_series(base):
    small_scan(base / "scan/a")
    small_scan(base / "scan/b", intercept=-1000)
    return Case(base / "scan", USAGE, ("2 series", "--series"), listed=2)


def truncated_file(base):
    path = small_scan(base / "scan")[2]
    path.write_bytes(path.read_bytes()[:-100])
    return Case(base / "scan", INPUT, ("file 3 of 4 (id ", "truncated"))


def syntax_without_decoder(base):
    def film(d):
        d.PixelData = encapsulate([d.PixelData])
        d["PixelData"].VR = "OB"
        d["PixelData"].is_undefined_length = True
        d.file_meta.TransferSyntaxUID = MPEG2MPML

    edit(small_scan(base / "scan")[1], film)
    return Case(base / "scan", INPUT, ("file 2 of 4 (id ", "MPEG2 Main Profile"))


def other_size(base):
    def crop(d):
        d.PixelData = d.PixelData[: len(d.PixelData) // 2]
        d.Rows //= 2

    edit(small_scan(base / "scan")[3], crop)
    return Case(base / "scan", USAGE, ("different sizes", "--series"), listed=2)


def no_position(base):
    def remove(d):
        del d.ImagePositionPatient

    edit(small_scan(base / "scan")[0], remove)
    return Case(base / "scan", INPUT, ("file 1 of 4 (id ", "Image Position"))


def output_exists(base):
    small_scan(base / "scan")
    (base / "result").mkdir()
    (base / "result/kept.txt").write_text("mine")
    return Case(base / "scan", USAGE, ("--output", "exists", "--overwrite"))


def output_not_writable(base):
    small_scan(base / "scan")
    (base / "file").write_text("no folder")
    return Case(base / "scan", USAGE, ("--output",), output=base / "file/result")


def rank_zero(base):
    small_scan(base / "scan")
    return Case(base / "scan", USAGE, ("--rank", "0"), ["--rank", "0"])


def rank_above_slices(base):
    small_scan(base / "scan")
    return Case(base / "scan", USAGE, ("--rank", "5", "4 slices"), ["--rank", "5"])


def unknown_option(base):
    small_scan(base / "scan")
    return Case(base / "scan", USAGE, ("--rnak",), ["--rnak", "3"])


CASES = [
    absent_input,
    empty_folder,
    no_dicom,
    several_series,
    truncated_file,
    syntax_without_decoder,
    other_size,
    no_position,
    output_exists,
    output_not_writable,
    rank_zero,
    rank_above_slices,
    unknown_option,
]
STACK_TRACE = re.compile(r"^\s+at \S+\(|Exception|panicked|RUST_BACKTRACE|Caused by", re.MULTILINE)


def tree(folder):
    return {p.relative_to(folder): p.stat().st_size for p in folder.rglob("*")}


@pytest.mark.parametrize("way", [decompose, pytest.param(submit, marks=pytest.mark.spark)], ids=["command", "job"])
@pytest.mark.parametrize("prepare", CASES, ids=lambda f: f.__name__.replace("_", " "))
def test_bad_input_gets_one_clear_line(prepare, way, tmp_path):
    case = prepare(tmp_path)
    before = tree(tmp_path)
    run = way("--input", case.input, "--output", case.output or tmp_path / "result", *case.options)
    assert run.code == case.code, run.err
    assert len(run.errors) == 1, run.err
    assert all(word in run.errors[0] for word in case.says), run.errors[0]
    assert not STACK_TRACE.search(run.err), run.err
    assert tree(tmp_path) == before, "something was written"
    said = run.out + run.err
    assert str(tmp_path) not in said
    assert [word for word in IDENTIFYING if word in said] == []
    if way is decompose:
        assert len(run.err.splitlines()) == 1 + case.listed, run.err


@pytest.mark.parametrize("way", [decompose, submit])
@pytest.mark.parametrize("option", ["--input", "--output"])
@pytest.mark.parametrize("joined", [False, True])
def test_a_name_that_is_not_utf_8_is_refused_by_its_option(way, option, joined, tmp_path):
    folder = tmp_path / os.fsdecode(b"f\xe9")
    folder.mkdir()
    words = {"--input": tmp_path, "--output": tmp_path / "result", option: folder}
    given = [[f"{name}={value}"] if joined else [name, value] for name, value in words.items()]
    run = way(*[word for pair in given for word in pair])
    assert run.code == 2 and run.errors == run.err.splitlines() and len(run.errors) == 1, run.err
    assert run.errors[0].startswith(f"error: {option}: its value is not UTF-8; "), run.err
