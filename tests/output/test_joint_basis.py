"""`--basis joint`: one basis of the slices of several series, by the command and by the job, against NumPy's of the matrix side by side."""

import json
import shutil
from fractions import Fraction

import numpy as np
import pyarrow.parquet as pq
import pydicom
import pytest

from archive import change_a_pixel
from oracle import result
from results import same
from running import FILE_PREFIX, decompose, made_scan, secrets, tomobasis

ROWS, COLUMNS = 90, 60
JOINT = ("--series", "all", "--basis", "joint")
# Slices, intercept, slope of the series that fit.
FITTING = {"a": (8, -1024, "1"), "b": (12, -1000, "0.5"), "c": (5, 0, "2.25")}
OTHER = 4  # slices of the series of another size


def make(folder):
    """Three series of one size, each with another rescale, one of another size, a localizer; what identifies their patient."""
    hidden = []
    for name, (slices, intercept, slope) in FITTING.items():
        scan, paths = made_scan(
            folder / f"{FILE_PREFIX}{name}",
            slices,
            ROWS,
            COLUMNS,
            seed=slices,
            intercept=intercept,
            signed=True,
            bits=16,
        )
        for path in paths:
            dataset = pydicom.dcmread(path)
            dataset.RescaleSlope = slope
            dataset.save_as(path)
        hidden += secrets(scan)
    scan, paths = made_scan(folder / f"{FILE_PREFIX}small", OTHER, 40, 30)
    hidden += secrets(scan)
    scout = pydicom.dcmread(paths[0])
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    scout.SeriesInstanceUID, scout.SOPInstanceUID = "2.25.4711", "2.25.4712"
    scout.save_as(folder / "scout.dcm")
    return hidden


def slices_of(folder):
    """The slices of the fitting series as datasets: series by their UIDs as bytes, slices by their positions."""
    found = [pydicom.dcmread(path) for path in folder.rglob("*") if path.is_file()]
    fitting = [slice for slice in found if (slice.Rows, slice.Columns) == (ROWS, COLUMNS)]
    return sorted(fitting, key=lambda slice: (slice.SeriesInstanceUID.encode(), slice.ImagePositionPatient[2]))


def matrix(slices):
    """Their values side by side, in float64: each exact, since slopes are dyadic."""
    columns = [d.pixel_array.ravel() * float(d.RescaleSlope) + float(d.RescaleIntercept) for d in slices]
    return np.stack(columns, axis=1)


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """The archive, what identifies its patient, and the command's result."""
    base = tmp_path_factory.mktemp("joint")
    hidden = make(base / "scans")
    run = decompose("--input", base / "scans", "--output", base / "result", *JOINT)
    assert run.code == 0, run.err
    return base / "scans", hidden, base / "result"


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_text())


def root(folder):
    return manifest_of(folder)["digests"]["root"]


def test_it_is_the_decomposition_of_the_series_side_by_side(scans):
    folder, _, made = scans
    slices = slices_of(folder)
    a, found = matrix(slices), result.read(made)
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    k = len(found.s)
    assert k == a.shape[1] == sum(slices for slices, _, _ in FITTING.values())
    assert np.abs(found.s / s - 1).max() < 1e-11
    signs = np.sign(np.sum(found.v * vt.T, axis=0))
    assert np.abs(found.v - vt.T * signs).max() < 1e-7 and np.abs(found.u - u * signs).max() < 1e-7
    assert np.abs((found.u * found.s) @ found.v.T - a).max() < 1e-8
    # Singular values are right to the last bit: their squares are eigenvalues of the exact Gram matrix, whose trace is known.
    exact = sum(Fraction(value) ** 2 for value in a.ravel().tolist())
    assert abs(sum(Fraction(value) ** 2 for value in found.s.tolist()) / exact - 1) < Fraction(1, 2**50)


def test_tables_and_manifest_say_which_series_and_slice_each_column_is(scans):
    folder, hidden, made = scans
    slices, manifest = slices_of(folder), manifest_of(made)
    uids = sorted({d.SeriesInstanceUID for d in slices}, key=str.encode)
    counts = [sum(d.SeriesInstanceUID == uid for d in slices) for uid in uids]
    joined = manifest["series"]["joined"]
    assert [one["slices"] for one in joined] == counts
    assert [one["first_slice"] for one in joined] == [sum(counts[:i]) for i in range(len(counts))]
    assert manifest["parameters"]["joint"] == "all" and manifest["series"]["slices"] == len(slices)
    weights = pq.read_table(made / "weights.parquet").to_pylist()
    assert [row["slice"] for row in weights] == list(range(len(slices)))
    assert [row["series"] for row in weights] == [one["series"] for one in joined for _ in range(one["slices"])]
    assert [row["series_slice"] for row in weights] == [i for one in joined for i in range(one["slices"])]
    for one in joined:
        own = pq.read_table(made / "weights" / f"{one['folder']}.parquet").to_pylist()
        part = weights[one["first_slice"] :][: one["slices"]]
        assert [row["weights"] for row in own] == [row["weights"] for row in part]
        assert [row["instance"] for row in own] == [row["instance"] for row in part]
        assert [row["slice"] for row in own] == [row["series_slice"] for row in part]
        assert len(one["fingerprint"]) == 64 and one["folder"].startswith(f"series-{one['series']}")
    rows = pq.read_table(made / "series.parquet").to_pylist()
    assert [row["state"] for row in rows] == ["done"] * 3 + ["skipped"] * 2
    assert [(row["series"], row["fingerprint"]) for row in rows[:3]] == [
        (one["series"], one["fingerprint"]) for one in joined
    ]
    small, scout = rows[3:]
    assert (small["slices"], small["rows"], small["columns"], small["first_slice"]) == (OTHER, 40, 30, -1)
    assert small["error"] == f"its slices are of another size than the {ROWS} x {COLUMNS} of most"
    assert scout["error"] == "a localizer"
    notes = [note["text"] for note in manifest["series"]["left_out"]]
    assert "2 of 5 series are left out of the joint matrix" in notes
    assert f"series {small['series']} ({OTHER} slices of 40 x 30 pixels): {small['error']}" in notes
    report = (made / "report.html").read_text()
    assert all(one["series"] in report and one["fingerprint"] in report for one in joined)
    everything = b"".join(path.read_bytes() for path in made.rglob("*") if path.is_file())
    assert [word for word in hidden if word.encode() in everything] == []


def test_an_input_without_one_of_the_series_is_refused_in_words(scans, tmp_path):
    folder, _, made = scans
    less = shutil.copytree(folder, tmp_path / "less")
    shutil.rmtree(less / f"{FILE_PREFIX}a")
    commands = [
        ["verify", made, "--input", less],
        ["verify", made, "--input", less, "--only", "sv"],
        ["certify", made, "--input", less, "--output", tmp_path / "bundle"],
        ["render", made, "--input", less, "--output", tmp_path / "pictures"],
    ]
    for command in commands:
        run = tomobasis(*command)
        assert run.code == 3 and "it lacks a series that the result is of" in run.err, (command, run.err)
        assert "--series names no series" not in run.err


def test_verify_does_not_claim_what_the_input_does_not_say_of_other_series(scans, tmp_path):
    folder, _, made = scans
    run = tomobasis("verify", made, "--input", folder)
    assert run.code == 0 and "not from this input" not in run.out, run.err
    more = shutil.copytree(folder, tmp_path / "more")
    made_scan(more / "added", 6, ROWS, COLUMNS, seed=77)
    run = tomobasis("verify", made, "--input", more)
    assert run.code == 0, run.err
    assert "; not from this input: what lies beside the series, in series.parquet and the report" in run.out
    run = tomobasis("verify", made, "--input", more, "--only", "sv")
    assert run.code == 0, run.err
    assert "; not from this input: what lies beside the series, in series.parquet" in run.out


def test_a_series_that_was_named_is_not_told_as_left_out_beside_another(scans, tmp_path):
    folder, _, _ = scans
    listed = json.loads(tomobasis("inspect", folder, "--json").out)["series"]
    scout = next(one for one in listed if one["slices"] == 1)
    small = next(one for one in listed if one["slices"] == OTHER)
    names = f"{scout['id']},{small['id']}"
    run = decompose("--input", folder, "--output", tmp_path / "result", "--series", names, "--basis", "joint")
    assert run.code == 0, run.err
    manifest = manifest_of(tmp_path / "result")
    assert [one["slices"] for one in manifest["series"]["joined"]].count(1) == 1
    assert not any("localizer" in note["text"] for note in manifest["series"]["left_out"])


def test_fingerprints_are_those_of_results_of_one_series_each(scans, tmp_path):
    folder, _, made = scans
    run = decompose("--input", folder, "--output", tmp_path / "all", "--series", "all", "--rank", "1")
    assert run.code == 0, run.err
    rows = {row["series"]: row for row in pq.read_table(tmp_path / "all/index.parquet").to_pylist()}
    for one in manifest_of(made)["series"]["joined"]:
        row = rows[one["series"]]
        assert (row["folder"], row["fingerprint"]) == (one["folder"], one["fingerprint"])


def test_every_way_and_every_order_of_the_files_give_the_same_files(way, scans, tmp_path):
    folder, hidden, made = scans
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    order = np.random.default_rng(7).permutation(len(paths))
    (tmp_path / "permuted").mkdir()
    for name, i in enumerate(order):
        shutil.copy(paths[i], tmp_path / "permuted" / f"{name:03d}")
    run = way("--input", tmp_path / "permuted", "--output", tmp_path / "result", *JOINT)
    assert run.code == 0, run.err
    assert root(made) in run.out
    same(tmp_path / "result", made)
    said = (run.out + run.err).replace(str(tmp_path), "")
    assert [word for word in hidden if word in said] == []
    assert "series       25 slices of 3 series, of 90 x 60 pixels" in run.out, run.out
    verified = tomobasis("verify", tmp_path / "result", "--input", folder)
    assert verified.code == 0, verified.err
    assert "manifest     every value" in verified.out and "series.unjoined" not in verified.out, verified.out


def test_derived_dicom_is_a_series_for_each_series_and_refers_to_its_own_slices(way, scans, tmp_path):
    folder, _, _ = scans
    words = ("--emit", "parquet,dicom", "--composite", "3", "--method", "dssvd", "--rank", "6")
    run = way("--input", folder, "--output", tmp_path / "result", *JOINT, *words)
    assert run.code == 0, run.err
    slices, found = slices_of(folder), result.read(tmp_path / "result")
    composite = (found.u[:, :3] * found.s[:3]) @ found.v[:, :3].T
    uids = {}
    for j, source in enumerate(slices):
        derived = pydicom.dcmread(tmp_path / "result/dicom/k=3" / f"slice-{j:05d}.dcm")
        assert derived.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert derived.StudyInstanceUID == source.StudyInstanceUID
        assert derived.FrameOfReferenceUID == source.FrameOfReferenceUID
        assert uids.setdefault(source.SeriesInstanceUID, derived.SeriesInstanceUID) == derived.SeriesInstanceUID
        assert "25 slices of 3 series, of which the source series is one" in derived.DerivationDescription
        slope, intercept = float(source.RescaleSlope), float(source.RescaleIntercept)
        assert (float(derived.RescaleSlope), float(derived.RescaleIntercept)) == (slope, intercept)
        exact = (composite[:, j].reshape(ROWS, COLUMNS) - intercept) / slope
        assert np.abs(derived.pixel_array - exact).max() < 0.501
    assert len(set(uids.values())) == len(FITTING)
    verified = tomobasis("verify", tmp_path / "result", "--input", folder)
    assert verified.code == 0, verified.err
    # Nobody changed it, so it may be replaced.
    again = way("--input", folder, "--output", tmp_path / "result", *JOINT, *words, "--overwrite")
    assert again.code == 0, again.err


def test_series_that_are_named_are_joined_and_no_others(way, scans, tmp_path):
    folder, _, made = scans
    joined = manifest_of(made)["series"]["joined"]
    names = ",".join(one["series"] for one in (joined[2], joined[0]))
    words = ("--basis", "joint", "--series", names, "--rank", "4", "--emit", "parquet")
    run = way("--input", folder, "--output", tmp_path / "named", *words)
    assert run.code == 0, run.err
    manifest = manifest_of(tmp_path / "named")
    assert [one["series"] for one in manifest["series"]["joined"]] == [joined[0]["series"], joined[2]["series"]]
    assert manifest["parameters"]["joint"] == "chosen" and "unjoined" not in manifest["series"]
    others = joined[1]["slices"] + OTHER + 1
    assert f"{others} slices of other series" in [note["text"] for note in manifest["series"]["left_out"]]
    for extra in [(), ("--series", names)]:
        verified = tomobasis("verify", tmp_path / "named", "--input", folder, *extra)
        assert verified.code == 0, verified.err


def test_verify_finds_the_series_in_an_archive_that_has_grown_and_sees_what_changed(scans, tmp_path):
    folder, _, made = scans
    grown = shutil.copytree(folder, tmp_path / "grown")
    made_scan(grown / "more", slices=30, rows=ROWS, columns=COLUMNS)
    made_scan(grown / "larger", slices=2, rows=200, columns=200)
    verified = tomobasis("verify", made, "--input", grown)
    assert verified.code == 0, verified.err
    assert "series.unjoined" in verified.out
    # All of it is another matrix.
    assert tomobasis("verify", made, "--input", grown, "--series", "all").code == 4
    changed = shutil.copytree(folder, tmp_path / "changed")
    change_a_pixel(changed / f"{FILE_PREFIX}b")
    verified = tomobasis("verify", made, "--input", changed)
    assert verified.code == 4 and "the pixels of the input are not those" in verified.err, verified.err
    missing = shutil.copytree(folder, tmp_path / "missing")
    shutil.rmtree(missing / f"{FILE_PREFIX}b")
    assert tomobasis("verify", made, "--input", missing).code == 3


def test_a_series_that_cannot_be_used_is_named_and_ends_nothing_unless_asked_for(way, scans, tmp_path):
    folder = shutil.copytree(scans[0], tmp_path / "copy")
    cut = sorted((folder / f"{FILE_PREFIX}c").iterdir())[2]
    cut.write_bytes(cut.read_bytes()[:-100])
    words = ("--input", folder, "--output", tmp_path / "result", "--rank", "2", *JOINT)
    run = way(*words, "--fail-fast")
    assert run.code == 3 and len(run.errors) == 1 and "truncated" in run.errors[0], run.err
    assert not (tmp_path / "result").exists()
    run = way(*words)
    assert run.code == 0, run.err
    states = [row["state"] for row in pq.read_table(tmp_path / "result/series.parquet").to_pylist()]
    assert sorted(states) == ["done", "done", "failed", "skipped", "skipped"]
    assert tomobasis("verify", tmp_path / "result", "--input", folder).code == 0


def test_where_nothing_is_left_one_line_says_why(way, tmp_path):
    _, paths = made_scan(tmp_path / "scan", slices=4, rows=20, columns=20)
    paths[1].write_bytes(paths[1].read_bytes()[:-10])
    run = way("--input", tmp_path / "scan", "--output", tmp_path / "new/deep/result", *JOINT)
    assert run.code == 3 and len(run.errors) == 1, run.err
    assert run.errors[0].startswith("error: --basis joint: none of the 1 series can be decomposed (series "), run.err
    # Nor are the folders above the output left.
    assert [path.name for path in tmp_path.iterdir()] == ["scan"]
