"""`--series all`: a result folder for each series, those of runs of its own to the bit, and one index, by the command and by the job."""

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from enhanced_image import multi_frame

import archive
from anatomy import Phantom
from archive import COLUMNS, CUT, GOOD, ROWS, SCOUTED, by_slices, index, make_archive, root
from ct_image import write
from make_ct_series import hu_slices
from results import same
from running import FILE_PREFIX, decompose, described, made_scan, tomobasis

OPTIONS = ("--rank", "3", "--composite", "2")


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """The archive, what identifies its patient, and the results of runs of one series each, by their slices."""
    base = tmp_path_factory.mktemp("archive")
    hidden = make_archive(base / "scans")
    run = decompose("--input", base / "scans", "--output", base / "all", "--series", "all", *OPTIONS)
    singles = {}
    for row in index(base / "all"):
        if row["state"] == "done":
            words = ("--series", row["series"], *OPTIONS)
            single = decompose("--input", base / "scans", "--output", base / str(row["slices"]), *words)
            assert single.code == 0, single.err
            singles[row["slices"]] = base / str(row["slices"])
    assert sorted(singles) == [*GOOD, SCOUTED], run.err
    return base / "scans", hidden, singles


@pytest.fixture
def copy(scans, tmp_path):
    """An archive that may be changed."""
    return shutil.copytree(scans[0], tmp_path / "copy")


def test_each_result_is_that_of_a_run_of_its_own_and_what_fails_is_a_row(way, scans, tmp_path):
    folder, hidden, singles = scans
    output = tmp_path / "results"
    run = way("--input", folder, "--output", output, "--series", "all", *OPTIONS)
    assert run.code == 3, run.err
    assert run.errors == [
        "error: 1 of 10 series failed; index.parquet in the output says why, and the others are done"
    ], run.err
    rows = index(output)
    assert [row["slices"] for row in rows] == [SCOUTED, CUT, *reversed(GOOD), 1]
    for row in rows:
        if row["state"] == "done":
            same(output / row["folder"], singles[row["slices"]])
            assert row["root"] == root(singles[row["slices"]])
            assert not row["kept"] and row["seconds"] > 0 and len(row["fingerprint"]) == len(row["options"]) == 64
    cut, scout = by_slices(output)[CUT], by_slices(output)[1]
    assert cut["state"] == "failed" and cut["exit_code"] == 3 and "truncated" in cut["error"]
    assert scout["state"] == "skipped" and scout["error"] == "a localizer"
    assert sorted(p.name for p in output.iterdir()) == sorted(
        ["index.parquet", *(row["folder"] for row in rows if row["state"] == "done")]
    )
    for line in [
        "series       10: 8 done, 1 failed, 1 left out",
        f"failed       {cut['series']}: {cut['error']}",
        f"left out     {scout['series']}: a localizer",
        "of no series 1 file in other formats than DICOM",
        f"index        {output}/index.parquet",
    ]:
        assert line in run.out.splitlines(), run.out
    said = run.out + run.err + (output / "index.parquet").read_bytes().decode("latin-1")
    assert [word for word in hidden if word in said.replace(str(tmp_path), "")] == []
    done = by_slices(output)[SCOUTED]
    verified = tomobasis("verify", output / done["folder"], "--input", folder, "--series", done["series"])
    assert verified.code == 0, verified.err


def test_a_restart_keeps_what_is_the_same_and_makes_the_rest_again(way, copy, tmp_path):
    output = tmp_path / "results"
    words = ("--input", copy, "--output", output, "--series", "all")
    assert way(*words, *OPTIONS).code == 3
    first = by_slices(output)
    archive.change_a_pixel(copy / f"{FILE_PREFIX}{GOOD[0]}")
    shutil.rmtree(output / first[GOOD[1]]["folder"] / "basis")
    (output / first[GOOD[2]]["folder"] / "_SUCCESS").unlink()
    shutil.rmtree(output / first[GOOD[3]]["folder"])
    run = way(*words, *OPTIONS)
    assert run.code == 3, run.err
    second = by_slices(output)
    made_again = [slices for slices, row in second.items() if row["state"] == "done" and not row["kept"]]
    assert sorted(made_again) == [*GOOD[:4]], run.err
    assert "series       10: 8 done (4 of them before), 1 failed, 1 left out" in run.out.splitlines()
    changed = [slices for slices in second if second[slices]["root"] != first[slices]["root"]]
    assert changed == [GOOD[0]]
    assert second[GOOD[0]]["fingerprint"] != first[GOOD[0]]["fingerprint"]
    # Other options: nothing is kept, and every folder is replaced.
    assert way(*words, "--rank", "2", "--composite", "2").code == 3
    third = by_slices(output)
    assert not any(row["kept"] for row in third.values())
    assert {row["folder"] for row in third.values()} == {row["folder"] for row in first.values()}
    # The same again, with what is at fault gone.
    shutil.rmtree(copy / "cut")
    run = way(*words, "--rank", "2", "--composite", "2")
    assert run.code == 0 and run.errors == [], run.err
    assert all(row["kept"] for row in index(output) if row["state"] == "done")
    assert {row["root"] for row in index(output)} == {row["root"] for row in third.values()}


def test_zips_multi_frame_files_derived_dicom_and_other_methods_give_what_a_run_of_its_own_gives(way, tmp_path):
    made_scan(tmp_path / "scans/plain", slices=6, rows=ROWS, columns=COLUMNS)
    scan = described(9, ROWS, COLUMNS)
    (tmp_path / "scans/frames").mkdir()
    frames = list(hu_slices(Phantom(), 9, ROWS, COLUMNS))
    write(multi_frame(scan, 1, frames), tmp_path / "scans/frames/one.dcm")
    scans = shutil.make_archive(tmp_path / "scans", "zip", tmp_path / "scans")
    options = ("--emit", "parquet,dicom", "--method", "tsqr", "--rank", "3", "--composite", "2")
    run = way("--input", scans, "--output", tmp_path / "all", "--series", "all", *options)
    assert run.code == 0, run.err
    rows = index(tmp_path / "all")
    assert [(row["slices"], row["state"]) for row in rows] == [(9, "done"), (6, "done")]
    for row in rows:
        words = ("--series", row["series"], *options)
        single = decompose("--input", scans, "--output", tmp_path / row["series"], *words)
        assert single.code == 0, single.err
        same(tmp_path / "all" / row["folder"], tmp_path / row["series"])


def test_fail_fast_ends_at_the_first_series_that_fails_and_a_run_without_it_goes_on(way, scans, tmp_path):
    folder, _, _ = scans
    words = ("--input", folder, "--output", tmp_path / "results", "--series", "all", *OPTIONS)
    run = way(*words, "--fail-fast")
    assert run.code == 3 and len(run.errors) == 1, run.err
    assert run.errors[0].startswith("error: series ") and "(--fail-fast), run again to go on" in run.errors[0]
    states = [row["state"] for row in index(tmp_path / "results")]
    assert states.count("failed") == 1 and states.count("pending") > 0
    assert way(*words).code == 3
    assert [row["state"] for row in index(tmp_path / "results")].count("done") == len(GOOD) + 1


def test_what_is_no_archive_of_results_is_left_alone(way, scans, tmp_path):
    folder, _, singles = scans
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("")
    (tmp_path / "table").mkdir()
    pq.write_table(pa.table({"page": [1, 2]}), tmp_path / "table/index.parquet")
    table = (tmp_path / "table/index.parquet").read_bytes()
    (tmp_path / "link").symlink_to(folder)
    for output, said in [
        (tmp_path / "mine", "it exists and is no archive of results"),
        (tmp_path / "table", "it exists and is no archive of results"),
        (tmp_path / "link/results", "it lies in the input of --series all"),
        (singles[GOOD[0]], "it exists and is no archive of results"),
        (folder / "results", "it lies in the input of --series all"),
    ]:
        run = way("--input", folder, "--output", output, "--series", "all")
        assert run.code == 2 and len(run.errors) == 1 and said in run.errors[0], run.err
    assert (tmp_path / "table/index.parquet").read_bytes() == table
    assert not (folder / "results").exists()
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_folders_of_series_that_are_gone_are_counted_and_a_lost_index_is_made_again(way, copy, tmp_path):
    words = ("--input", copy, "--output", tmp_path / "results", "--series", "all", *OPTIONS)
    shutil.rmtree(copy / "cut")
    run = way(*words)
    assert run.code == 0 and "earlier" not in run.out and "unfinished" not in run.out, run.out
    (tmp_path / "results/index.parquet").unlink()
    shutil.rmtree(copy / f"{FILE_PREFIX}{GOOD[0]}")
    run = way(*words)
    said = "earlier      1 folder of series that are not in this input: they stay, and the index does not list them"
    assert run.code == 0 and said in run.out.splitlines(), run.out
    assert all(row["kept"] for row in index(tmp_path / "results") if row["state"] == "done")


def test_commands_that_use_one_series_do_not_take_all(scans, tmp_path):
    folder, _, singles = scans
    one, result = folder / f"{FILE_PREFIX}{GOOD[0]}", singles[GOOD[0]]
    for words in [
        ("verify", result, "--input", one),
        ("certify", result, "--input", one, "--output", tmp_path / "out"),
        ("render", result, "--input", one, "--slice", "1", "--output", tmp_path / "out"),
    ]:
        run = tomobasis(*words, "--series", "all")
        assert run.code == 2 and "--series all: one series is used here" in run.err, (words, run.err)
        assert not (tmp_path / "out").exists(), words


@pytest.mark.parametrize("skip", [False, True])
def test_slices_that_are_left_out_are_counted(scans, tmp_path, skip):
    folder, _, _ = scans
    words = ("--on-bad-slice", "skip") if skip else ()
    run = decompose("--input", folder, "--output", tmp_path / "results", "--series", "all", *OPTIONS, *words)
    assert run.code == (0 if skip else 3), run.err
    row = by_slices(tmp_path / "results")[CUT]
    assert row["state"] == ("done" if skip else "failed") and row["left_out"] == int(skip)
    assert ("slices       1 left out (--on-bad-slice skip)" in run.out) == skip
