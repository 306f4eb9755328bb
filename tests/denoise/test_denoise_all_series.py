"""`denoise --series all`: the archive's own mechanism, by the command and by the job. Each folder is that of a run of its own."""

import json
import shutil

import pydicom
import pytest

import archive
from archive import by_slices, index
from denoised import manifest, same
from running import decompose, made_scan, secrets, submit, tomobasis

ROWS, COLUMNS = 64, 80
GOOD = (34, 36, 40)  # slices of each series that can be denoised
CUT, FAR, MR = (
    37,
    20,
    18,
)  # usable ones of one with a truncated file; of one with its slices far apart; of another modality


def denoise(*words):
    return tomobasis("denoise", *words)


@pytest.fixture(params=["command", pytest.param("job", marks=pytest.mark.spark)])
def way(request):
    """Denoising, by the command and by the job: a function of the words of its command line."""
    if request.param == "command":
        return denoise
    job = request.getfixturevalue("job")
    return lambda *words: job("--denoise", *words)


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """The archive, what identifies its patient, and what runs of one series each make of it, by the numbers of their slices."""
    base = tmp_path_factory.mktemp("denoise-archive")
    hidden, singles = [], {}
    for slices in (*GOOD, CUT, FAR, MR):
        files = slices + (slices == CUT)
        scan, paths = made_scan(base / f"scans/{slices}", slices=files, rows=ROWS, columns=COLUMNS, seed=slices)
        hidden += secrets(scan)
        if slices == CUT:
            paths[3].write_bytes(paths[3].read_bytes()[:-100])
        if slices == MR:
            for path in paths:
                dataset = pydicom.dcmread(path)
                dataset.Modality = "MR"
                dataset.save_as(path)
    (base / "scans/notes.txt").write_text("not DICOM")
    inspected = json.loads(tomobasis("inspect", base / "scans", "--json").out)
    for series in inspected["series"]:
        if series["slices"] in GOOD:
            alone = base / f"alone/{series['slices']}"
            run = denoise("--input", base / "scans", "--output", alone, "--series", series["id"])
            assert run.code == 0, run.err
            singles[series["slices"]] = alone
    return base / "scans", hidden, singles


@pytest.fixture
def copy(scans, tmp_path):
    """An archive that may be changed."""
    return shutil.copytree(scans[0], tmp_path / "copy")


def test_each_folder_is_that_of_a_run_of_its_own_and_what_cannot_be_denoised_is_a_row(way, scans, tmp_path):
    folder, hidden, singles = scans
    output = tmp_path / "results"
    run = way("--input", folder, "--output", output, "--series", "all")
    assert run.code == 3, run.err
    assert run.errors == [
        "error: 2 of 6 series failed; index.parquet in the output says why, and the others are done"
    ], run.err
    rows = by_slices(output)
    for slices in GOOD:
        row = rows[slices]
        runs = same(output / row["folder"], singles[slices])
        assert (row["state"], row["root"]) == ("done", manifest(singles[slices])["digests"]["denoised"])
        assert runs[0]["archive"]["fingerprint"] == row["fingerprint"] and not row["kept"] and row["seconds"] > 0
    assert rows[CUT]["state"] == rows[FAR]["state"] == "failed" and "truncated" in rows[CUT]["error"]
    assert "mm apart" in rows[FAR]["error"] and rows[FAR]["exit_code"] == 3
    assert (rows[MR]["state"], rows[MR]["error"]) == ("skipped", "MR: only CT is denoised")
    assert sorted(path.name for path in output.iterdir()) == sorted(
        ["index.parquet", *(rows[slices]["folder"] for slices in GOOD)]
    )
    for line in [
        "series       6: 3 done, 2 failed, 1 left out",
        f"left out     {rows[MR]['series']}: MR: only CT is denoised",
        "of no series 1 file in other formats than DICOM",
        f"index        {output}/index.parquet",
    ]:
        assert line in run.out.splitlines(), run.out
    said = run.out + run.err + (output / "index.parquet").read_bytes().decode("latin-1")
    assert [word for word in hidden if word in said.replace(str(tmp_path), "")] == []
    done = rows[GOOD[0]]
    verified = tomobasis("verify", output / done["folder"], "--input", folder, "--series", done["series"])
    assert verified.code == 0, verified.err


def test_a_restart_keeps_what_is_the_same_and_makes_the_rest_again(way, copy, tmp_path):
    output = tmp_path / "results"
    for slices in (CUT, FAR, MR):
        shutil.rmtree(copy / str(slices))
    words = ("--input", copy, "--output", output, "--series", "all", "--quality", "fast")
    assert way(*words).code == 0
    first = by_slices(output)
    archive.change_a_pixel(copy / str(GOOD[0]))
    shutil.rmtree(output / first[GOOD[1]]["folder"])
    run = way(*words)
    assert run.code == 0, run.err
    second = by_slices(output)
    assert [slices for slices in GOOD if second[slices]["kept"]] == [GOOD[2]]
    assert "series       3: 3 done (1 of them before), 0 failed, 0 left out" in run.out.splitlines()
    assert [slices for slices in GOOD if second[slices]["root"] != first[slices]["root"]] == [GOOD[0]]
    # At another strength nothing is kept, and every folder is replaced.
    run = way(*words, "--strength", "0.5")
    assert run.code == 0 and not any(row["kept"] for row in index(output)), run.err
    assert {row["folder"] for row in index(output)} == {row["folder"] for row in first.values()}
    # By --overwrite all are made again, to the same bits.
    before = {row["root"] for row in index(output)}
    run = way(*words, "--strength", "0.5", "--overwrite")
    assert run.code == 0 and not any(row["kept"] for row in index(output)), run.err
    assert {row["root"] for row in index(output)} == before


def test_fail_fast_ends_before_any_where_headers_tell(way, scans, tmp_path):
    run = way("--input", scans[0], "--output", tmp_path / "results", "--series", "all", "--fail-fast")
    assert run.code == 3 and len(run.errors) == 1 and run.errors[0].startswith("error: series "), run.err
    rows = by_slices(tmp_path / "results")
    assert rows[FAR]["state"] == "failed" and {rows[slices]["state"] for slices in GOOD} == {"pending"}
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["index.parquet"]


def test_results_of_the_other_kind_stay(way, copy, tmp_path):
    for slices in (CUT, FAR, MR, *GOOD[1:]):
        shutil.rmtree(copy / str(slices))
    results, denoised = tmp_path / "results", tmp_path / "denoised"
    assert decompose("--input", copy, "--output", results, "--series", "all", "--rank", "2").code == 0
    assert denoise("--input", copy, "--output", denoised, "--series", "all").code == 0
    before = (results / "index.parquet").read_bytes()
    run = way("--input", copy, "--output", results, "--series", "all", "--overwrite")
    assert run.code == 2 and "it holds results of another kind of run" in run.err, run.err
    assert (results / "index.parquet").read_bytes() == before
    run = decompose("--input", copy, "--output", denoised, "--series", "all", "--rank", "2", "--overwrite")
    assert run.code == 2 and "would make each series a result folder" in run.err, run.err
    assert tomobasis("status", denoised).out.startswith("series       1: 1 done")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--fail-fast",), "--fail-fast: it applies to --series all"),
        (("--series", "all", "--rank", "3"), "--rank"),
    ],
)
def test_options_that_do_not_belong_to_it_are_refused(way, scans, tmp_path, words, said):
    run = way("--input", scans[0], "--output", tmp_path / "out", *words)
    assert run.code == 2 and len(run.errors) == 1 and said in run.errors[0], run.err
    assert not (tmp_path / "out").exists()


@pytest.mark.spark
def test_executors_and_series_that_are_spread_over_bands_change_no_bit(scans, tmp_path):
    folder, _, singles = scans
    words = ("--denoise", "--input", folder, "--output", tmp_path / "tasks", "--series", "all")
    run = submit(*words, master="local-cluster[2,1,1024]")
    assert run.code == 3 and "does not fit into one task" not in run.err, run.err
    # One folder is there, the others do not fit into a task that may have 1 MB.
    shutil.copytree(tmp_path / "tasks", tmp_path / "spread")
    rows = by_slices(tmp_path / "spread")
    for slices in GOOD[1:]:
        shutil.rmtree(tmp_path / "spread" / rows[slices]["folder"])
    words = ("--denoise", "--input", folder, "--output", tmp_path / "spread", "--series", "all")
    run = submit(*words, conf=["spark.tomobasis.archive.memory=1m"])
    assert run.code == 3 and run.err.count("does not fit into one task") == len(GOOD), run.err
    again = by_slices(tmp_path / "spread")
    assert [slices for slices in GOOD if again[slices]["kept"]] == [GOOD[0]]
    assert {slices: row["root"] for slices, row in again.items()} == {
        slices: row["root"] for slices, row in rows.items()
    }
    for slices in GOOD:
        same(tmp_path / "tasks" / rows[slices]["folder"], singles[slices])
        runs = same(tmp_path / "spread" / rows[slices]["folder"], singles[slices])
        assert runs[0]["archive"]["fingerprint"] == rows[slices]["fingerprint"]
        assert ("block_partitions" in runs[0]) == (slices != GOOD[0])
