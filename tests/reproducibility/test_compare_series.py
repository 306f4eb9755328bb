"""`tomobasis compare` of two DICOM series: by their values, whatever their encoding; where they differ first, and by how much."""

import json
import shutil

import numpy as np
import pydicom
import pytest

from running import decompose, made_scan, secrets, tomobasis


@pytest.fixture(scope="module")
def derived(made, tmp_path_factory):
    """Composites of the scan as DICOM: ranks 3 and 24, which is the whole scan but for rounding."""
    base = tmp_path_factory.mktemp("derived")
    options = ("--emit", "dicom", "--composite", "3,24")
    run = decompose("--input", made.folder, "--output", base / "result", *options)
    assert run.code == 0, run.err
    return base / "result/dicom"


def slices(folder):
    """HU of a series, slices x rows x columns, in the order of positions."""
    datasets = sorted((pydicom.dcmread(path) for path in folder.iterdir()), key=lambda d: d.ImagePositionPatient[2])
    return np.stack([d.pixel_array * float(d.RescaleSlope) + float(d.RescaleIntercept) for d in datasets])


def compared(*arguments, code):
    run = tomobasis("compare", *arguments)
    assert run.code == code and len(run.errors) == (code > 0), run.err
    return run


def test_a_series_is_the_same_as_its_copy_and_as_its_composite_of_full_rank(made, derived):
    run = compared(made.folder, made.folder, code=0)
    assert "same values  24 slices of 120 x 160 pixels: every value is the same" in run.out
    run = compared(made.folder, derived / "k=24", code=0)
    assert "every value is the same" in run.out and "positions    the same" in run.out


def test_what_a_composite_changed_is_what_numpy_finds(made, derived):
    a, b = slices(made.folder), slices(derived / "k=3")
    apart = np.abs(a - b)
    run = compared(made.folder, derived / "k=3", "--json", code=4)
    found = json.loads(run.out)
    assert (found["compared"], found["same"], found["unit"]) == ("series", False, "HU")
    assert found["overall"]["differing"] == found["beyond"] == np.count_nonzero(apart)
    assert found["overall"]["rms"] == pytest.approx(np.sqrt(np.mean(apart**2)), rel=1e-12)
    place = tuple(found["overall"]["largest"][axis] - 1 for axis in ("slice", "row", "column"))
    assert place == np.unravel_index(apart.argmax(), apart.shape)
    first = tuple(found["first"][axis] - 1 for axis in ("slice", "row", "column"))
    assert first == tuple(np.argwhere(apart)[0]) and (found["first"]["a"], found["first"]["b"]) == (a[first], b[first])
    assert len(found["slices"]) == 24
    for slice, of_slice in zip(found["slices"], apart, strict=True):
        assert slice["differing"] == np.count_nonzero(of_slice)
        assert slice["rms"] == pytest.approx(np.sqrt(np.mean(of_slice**2)), rel=1e-12)
        largest = slice["largest"] or {"a": 0, "b": 0}
        assert abs(largest["a"] - largest["b"]) == of_slice.max()
    said = f"first at slice {first[0] + 1}, row {first[1] + 1}, column {first[2] + 1} (from 1: A "
    assert run.errors[0].startswith(f"error: A and B differ: {said}"), run.err


def test_a_tolerance_is_what_a_difference_may_be(made, derived):
    most = np.abs(slices(made.folder) - slices(derived / "k=3")).max()
    run = compared(made.folder, derived / "k=3", "--tolerance", str(most), code=0)
    assert f"no value differs by more than {most:g} HU" in run.out and f"largest difference {most:g} HU" in run.out
    run = compared(made.folder, derived / "k=3", "--tolerance", str(most - 0.5), code=4)
    assert f"largest difference {most:g} HU" in run.errors[0]


def test_nothing_of_the_patient_is_printed(made, derived):
    run = compared(made.folder, derived / "k=3", "--json", code=4)
    assert not [secret for secret in secrets(made.scan) if secret in run.out + run.err]


def test_what_cannot_be_compared_is_refused_in_one_line(made, derived, tmp_path):
    made_scan(tmp_path / "other", slices=23)
    (tmp_path / "two").mkdir()
    for name in ("k=3", "k=24"):
        shutil.copytree(derived / name, tmp_path / "two" / name)
    cases = [
        ([made.folder, tmp_path / "other"], 4, "A and B differ: A has 24 slices of 120 x 160 pixels, B 23 slices"),
        ([made.folder, tmp_path / "none"], 2, "B: there is no such folder or file"),
        ([tmp_path / "two", made.folder], 2, "A: it holds no single series of slices"),
        (
            [made.folder, made.result],
            2,
            "A: it is no result (manifest.json is not there), and B is one; give two results",
        ),
        ([made.result, made.result, "--tolerance", "1"], 2, "--tolerance: it applies to DICOM series"),
        ([made.folder, made.folder, "--tolerance", "-1"], 2, "invalid value '-1' for '--tolerance"),
    ]
    for arguments, code, text in cases:
        assert compared(*arguments, code=code).errors[0].startswith(f"error: {text}"), arguments


def test_the_output_of_all_series_and_a_result_as_its_own_input_are_called_by_what_they_are(made, tmp_path):
    archive = tmp_path / "archive"
    run = decompose("--input", made.folder, "--output", archive, "--series", "all", "--emit", "parquet")
    assert run.code == 0, run.err
    said = "this is the output of --series all, and no result; name one of the folders in it"
    for arguments in (["compare", archive, archive], ["compare", made.result, archive]):
        run = tomobasis(*arguments)
        name = "A" if arguments[1] == archive else "B"
        assert (run.code, run.errors) == (2, [f"error: {name}: {said}"])
    for arguments in (
        ["verify", archive, "--input", made.folder],
        ["certify", archive, "--input", made.folder, "--output", tmp_path / "proof"],
        ["render", archive, "--output", tmp_path / "pictures"],
        ["paper", archive],
    ):
        run = tomobasis(*arguments)
        assert (run.code, run.errors) == (3, [f"error: index.parquet: {said}"]), arguments
    for arguments in (["verify"], ["certify", "--output", tmp_path / "proof"]):
        run = tomobasis(*arguments, made.result, "--input", made.result)
        assert run.code == 2
        assert run.errors == ["error: --input: it is the result folder itself; name what the result was made from"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive"]


def test_json_also_tells_of_series_that_have_other_sizes_or_units(made, tmp_path):
    made_scan(tmp_path / "fewer", slices=23)
    (tmp_path / "unit").mkdir()
    for path in made.folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.RescaleType = "US"
        dataset.save_as(tmp_path / "unit" / path.name)
    for other, says in (("fewer", "B 23 slices of 120 x 160 pixels"), ("unit", 'those of B in "US"')):
        run = compared(made.folder, tmp_path / other, "--json", code=4)
        found = json.loads(run.out)
        assert (found["compared"], found["same"]) == ("series", False)
        assert says in found["text"] and run.errors == [f"error: {found['text']}"]


def test_it_is_said_which_is_a_series_and_which_a_result(made):
    run = compared(made.result, made.folder, code=2)
    says = "it is no result (manifest.json is not there), and A is one; give two results, or two series"
    assert run.errors == [f"error: B: {says}"]
