"""The same digests from DataFrames of PySpark: a classic session, and a real Spark Connect server."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pydicom
import pytest
from enhanced_image import multi_frame

import tomobasis
import tomobasis.spark
from anatomy import Phantom
from ct_image import write
from make_ct_series import hu_slices
from results import files, same
from running import ROOT, described, made_scan, secrets
from tomobasis import _native, _spark_folder

JAR = ROOT / "build/tomobasis-spark.jar"
A = np.random.default_rng(22).integers(-1000, 3000, (1500, 9)).astype(np.int16)


@pytest.mark.spark
def test_a_data_frame_gives_the_digests_of_its_rows(spark):
    whole = tomobasis.svd(A)
    rows = [(i, row.tolist()) for i, row in enumerate(A)]
    df = spark.createDataFrame(rows, "row long, pixels array<short>").repartition(3)
    state = tomobasis.spark.gram_state(df, "pixels", 9, groups=2)
    direct = tomobasis.GramState(9)
    direct.update(A)
    assert state == direct
    factors = state.finish()
    assert factors.digests == {name: whole.digests[name] for name in ("s", "V")}
    found = tomobasis.spark.project(df, "pixels", factors).select("row", "u").collect()
    u = np.array([row.u for row in sorted(found, key=lambda row: row.row)])
    assert np.array_equal(u, whole.U)
    for name in ("pixels", "row", "ROW"):
        with pytest.raises(tomobasis.InputError, match="already"):
            tomobasis.spark.project(df, "pixels", factors, name=name)
    with pytest.raises(tomobasis.InputError, match="'x'"):
        tomobasis.spark.project(df, "x", factors)
    for groups in (0, 2.5, True, None, "3"):
        with pytest.raises(tomobasis.InputError, match="groups"):
            tomobasis.spark.gram_state(df, "pixels", 9, groups=groups)


@pytest.mark.spark
def test_floats_give_the_digests_of_their_rows(spark):
    a = A / 7.0
    whole = tomobasis.svd(a)
    df = spark.createDataFrame([(i, row.tolist()) for i, row in enumerate(a)], "row long, x array<double>").repartition(
        3
    )
    ranges = tomobasis.spark.float_ranges(df, "x", 9, groups=2)
    assert ranges.rows == len(a)
    state = tomobasis.spark.gram_state(df, "x", 9, groups=2, ranges=ranges)
    factors = state.finish()
    assert factors.digests == {name: whole.digests[name] for name in ("s", "V")}
    found = tomobasis.spark.project(df, "x", factors).select("row", "u").collect()
    u = np.array([row.u for row in sorted(found, key=lambda row: row.row)])
    assert np.array_equal(u, whole.U)
    # Of equal columns nothing is left without the rows' means.
    equal = spark.createDataFrame([([i / 7] * 3,) for i in range(5)], "x array<double>")
    state = tomobasis.spark.gram_state(equal, "x", 3, ranges=tomobasis.spark.float_ranges(equal, "x", 3))
    rows = tomobasis.spark.project(equal, "x", state.finish(center="rows")).collect()
    assert [row.u for row in rows] == [[]] * 5


@pytest.mark.spark
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"rank": 4, "center": "pixels", "groups": 2},
        {"method": "exact", "output": None, "on_bad_slice": None, "overwrite": False, "input_format": "dicom"},
        {"method": "tsqr", "center": True},
        {"method": "dssvd", "rank": 3, "oversample": 2, "groups": 2},
        {"method": "dssvd", "rank": 3, "oversample": 0, "power_iterations": 0, "seed": 0},
    ],
    ids=["all", "centered", "defaults", "tsqr", "dssvd", "zeros"],
)
def test_a_scan_is_decomposed_in_tasks_with_the_digest_of_the_command(spark, scan, tmp_path, options):
    found = tomobasis.spark.decompose(spark, scan, **options)
    of_command = {name: value for name, value in options.items() if name not in ("groups", "output")}
    result = tomobasis.decompose(scan, tmp_path / "result", **of_command)
    assert found.digest == result.digest
    assert found.digests == {name: result.digests[name] for name in ("pixels", "s", "V", "root")} | {
        "U": result.digests["U"]["root"]
    }
    assert np.array_equal(found.s, result.s) and np.array_equal(found.Vt.T, result.V)
    assert np.array_equal(found.U(), result.U)
    assert found.rank == result.manifest["result"]["numerical_rank"] and found.energy > 0
    assert found.u.columns == ["block", "row", "values"] and found.output is None
    found.unpersist()


# What a notebook does whose classic session has the jar; a process of its own, since a JVM takes jars when it starts.
IN_THE_LIBRARY = """
import json, sys
import numpy as np
from pyspark.sql import SparkSession
import tomobasis, tomobasis.spark

scan, work, jar = sys.argv[1:]
builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.jars", jar)
spark = builder.config("spark.driver.extraClassPath", jar).getOrCreate()
found = tomobasis.spark.decompose(spark, scan, rank=4, center="pixels", output=work + "/written", emit=["parquet"])
assert tomobasis.Result(found.output).digest == found.digest
in_tasks = tomobasis.spark.decompose(spark, scan, by="tasks", rank=4, center="pixels")
for name in ("digests", "energy", "rank", "unresolved", "bounds", "notes"):
    assert getattr(found, name) == getattr(in_tasks, name), name
for name in ("s", "Vt"):
    assert np.array_equal(getattr(found, name), getattr(in_tasks, name)), name
assert np.array_equal(found.U(), in_tasks.U()) and found.u.columns == in_tasks.u.columns
found.unpersist()
tsqr = tomobasis.spark.decompose(spark, scan, method="tsqr")
said = {"root": found.digest, "tsqr": tsqr.digest, "bounds": tsqr.bounds, "errors": []}
for options in ({"rank": 10}, {"dicom_syntax": "none"}, {"color": "red"}, {"groups": 2}):
    try:
        tomobasis.spark.decompose(spark, scan, **options)
    except tomobasis.InputError as error:
        said["errors"].append(str(error))
json.dump(said, open(work + "/said.json", "w"))
"""


@pytest.mark.skipif(not JAR.exists(), reason="the jar is not built: make build")
def test_a_classic_session_with_the_library_runs_the_jobs_own_code(scan, tmp_path):
    command = [sys.executable, "-c", IN_THE_LIBRARY, scan, tmp_path, JAR]
    # A session of Spark Connect before this leaves its mode in the environment.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_CONNECT")}
    environment = {**kept, "PYSPARK_PYTHON": sys.executable, "LC_ALL": "C.UTF-8"}
    run = subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    said = json.loads((tmp_path / "said.json").read_text())
    assert said["root"] == tomobasis.decompose(scan, tmp_path / "a", rank=4, center="pixels").digest
    assert said["tsqr"] == tomobasis.decompose(scan, tmp_path / "b", method="tsqr").digest and said["bounds"] == {}
    for error, says in zip(said["errors"], ["rank: ", "dicom_syntax: ", "'color'", "groups, threads: "], strict=True):
        assert says in error


@pytest.mark.spark
def test_a_way_that_a_session_does_not_have_is_refused(spark, scan):
    for by, says in {"library": "has no library", "magic": "no way"}.items():
        with pytest.raises(tomobasis.InputError, match=says):
            tomobasis.spark.decompose(spark, scan, by=by)


@pytest.fixture(scope="module")
def larger(tmp_path_factory):
    """Five row blocks, the last one short; its series, and the files in the order of the slices."""
    return made_scan(tmp_path_factory.mktemp("larger") / "scan", slices=11, rows=130, columns=140)


@pytest.mark.spark
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"emit": ["dicom"], "composite": [1, 3], "no_patient_data": True, "dicom_syntax": "jpeg-ls"},
        {"rank": 4, "center": "both", "emit": ["parquet", "text", "png", "report"], "composite": [2], "groups": 3},
        {"method": "tsqr", "emit": ["parquet", "dicom"], "composite": [2]},
        {"method": "dspca", "rank": 3, "seed": 5, "groups": 4},
    ],
    ids=["defaults", "dicom", "text", "tsqr", "dspca"],
)
def test_tasks_make_the_files_of_the_command(spark, larger, tmp_path, monkeypatch, options):
    scan, slices = larger
    folder = slices[0].parent
    # As many queries as there can be.
    monkeypatch.setattr(_spark_folder, "RESULT_BYTES", 1)
    found = tomobasis.spark.decompose(spark, folder, by="tasks", output=tmp_path / "tasks", **options)
    of_command = {name: value for name, value in options.items() if name != "groups"}
    result = tomobasis.decompose(folder, tmp_path / "command", **of_command)
    same(tmp_path / "tasks", tmp_path / "command")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["command", "tasks"]
    assert found.output == str(tmp_path / "tasks") and found.digest == result.digest
    written = tomobasis.Result(found.output)
    assert "every byte the same" in written.verify(folder)
    run = written.manifest["run"]
    assert (
        run["runner"].startswith("spark 4")
        and run["cores"] == 2
        and run["block_partitions"] == options.get("groups", 1)
    )
    assert set(run["timings"]) >= {"scan", options.get("method", "gram"), "decompose", "render", "pictures"}
    # U is there too, where it is asked for.
    if "parquet" in options.get("emit", ["parquet"]):
        assert np.array_equal(found.U(), written.U)
    found.unpersist()
    if options.get("no_patient_data"):
        everything = b"".join(path.read_bytes() for path in (tmp_path / "tasks").rglob("*") if path.is_file())
        assert [secret for secret in secrets(scan) if secret.encode() in everything] == []


@pytest.mark.spark
def test_multi_frame_files_are_derived_whole(spark, tmp_path):
    scan, hu = described(slices=40, rows=70, columns=80), dict(hu_slices(Phantom(), 40, 70, 80))
    (tmp_path / "scan").mkdir()
    # Two runs: the slices of the first file are those of the other's between.
    for number, slices in ((1, range(0, 40, 2)), (2, range(1, 40, 2))):
        write(multi_frame(scan, number, [(j, hu[j]) for j in slices]), tmp_path / f"scan/{number}.dcm")
    options = {"emit": ["dicom", "parquet"], "composite": [1, 2]}
    tomobasis.spark.decompose(spark, tmp_path / "scan", by="tasks", output=tmp_path / "tasks", **options).unpersist()
    tomobasis.decompose(tmp_path / "scan", tmp_path / "command", **options)
    same(tmp_path / "tasks", tmp_path / "command")
    assert len(list((tmp_path / "tasks/dicom").rglob("*.dcm"))) == 4


@pytest.mark.spark
def test_an_old_result_is_replaced_on_request_and_kept_without(spark, scan, tmp_path):
    output = tmp_path / "result"
    tomobasis.decompose(scan, output, rank=2)
    before = files(output)
    with pytest.raises(tomobasis.InputError, match="output: it exists already"):
        tomobasis.spark.decompose(spark, scan, by="tasks", output=output)
    assert files(output) == before
    found = tomobasis.spark.decompose(spark, scan, by="tasks", output=output, rank=3, overwrite=True)
    assert tomobasis.Result(output).manifest["result"]["rank"] == 3
    found.unpersist()
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


@pytest.mark.spark
def test_row_blocks_stay_in_spark_for_all_that_is_made_of_them(spark, tmp_path, monkeypatch):
    made_scan(tmp_path / "scan", slices=6, rows=130, columns=140)
    result = tomobasis.decompose(tmp_path / "scan", tmp_path / "command")
    written = _spark_folder.write

    def gone(*arguments):
        shutil.rmtree(tmp_path / "scan")
        return written(*arguments)

    monkeypatch.setattr(_spark_folder, "write", gone)
    found = tomobasis.spark.decompose(spark, tmp_path / "scan", by="tasks", groups=2, output=tmp_path / "tasks")
    same(tmp_path / "tasks", tmp_path / "command")
    assert np.array_equal(found.U(), result.U)
    found.unpersist()


@pytest.mark.spark
@pytest.mark.parametrize("emit", ["parquet", "dicom"])
def test_pixels_that_changed_after_the_first_reading_are_an_error(spark, tmp_path, monkeypatch, emit):
    _, slices = made_scan(tmp_path / "scan", slices=6, rows=70, columns=80)
    written = _spark_folder.write

    def changed(folder, blocks, *rest):
        # What the executors kept is gone, so it is read again.
        blocks.frame.unpersist(blocking=True)
        data = pydicom.dcmread(slices[2])
        data.PixelData = data.PixelData[:-2] + (1000).to_bytes(2, "little")
        data.save_as(slices[2])
        return written(folder, blocks, *rest)

    monkeypatch.setattr(_spark_folder, "write", changed)
    with pytest.raises(tomobasis.InputError, match=r"file 3 of 6 .*no longer the file that was listed"):
        tomobasis.spark.decompose(spark, tmp_path / "scan", by="tasks", output=tmp_path / "result", emit=[emit])
    assert [path.name for path in tmp_path.iterdir()] == ["scan"]


@pytest.mark.spark
def test_each_call_reads_the_pixels_as_they_are_then(spark, tmp_path):
    _, slices = made_scan(tmp_path / "scan", slices=6, rows=70, columns=80)
    first = tomobasis.spark.decompose(spark, tmp_path / "scan", by="tasks")
    data = pydicom.dcmread(slices[2])
    data.PixelData = data.PixelData[:-2] + (1000).to_bytes(2, "little")
    data.save_as(slices[2])
    # Spark keeps the row blocks of the first call.
    second = tomobasis.spark.decompose(spark, tmp_path / "scan", by="tasks")
    assert second.digest != first.digest
    assert second.digest == tomobasis.decompose(tmp_path / "scan", tmp_path / "result").digest
    first.unpersist()
    shutil.rmtree(tmp_path / "scan")
    assert second.U().shape == (70 * 80, len(second.s))
    second.unpersist()


@pytest.mark.spark
def test_relative_paths_are_those_of_the_calling_process(spark, scan, tmp_path, monkeypatch):
    monkeypatch.chdir(scan)
    result = tomobasis.spark.decompose(spark, "a", by="tasks", output=os.path.relpath(tmp_path / "result"))
    assert result.digest == tomobasis.decompose("a", tmp_path / "command").digest
    same(tmp_path / "result", tmp_path / "command")
    result.unpersist()


@pytest.mark.spark
def test_a_slice_that_cannot_be_decoded_is_our_error_and_leaves_nothing(spark, tmp_path):
    _, slices = made_scan(tmp_path / "scan", slices=6, rows=130, columns=140)
    data = pydicom.dcmread(slices[3])
    data.PixelData = data.PixelData[:-100]
    data.save_as(slices[3])
    with pytest.raises(tomobasis.InputError) as of_command:
        tomobasis.decompose(tmp_path / "scan", tmp_path / "result")
    with pytest.raises(tomobasis.InputError) as caught:
        tomobasis.spark.decompose(spark, tmp_path / "scan", by="tasks", groups=3, output=tmp_path / "result")
    assert str(caught.value) == str(of_command.value)
    assert [path.name for path in tmp_path.iterdir()] == ["scan"]


@pytest.mark.spark
@pytest.mark.parametrize("ends", [KeyboardInterrupt, OSError])
def test_what_ends_in_between_leaves_nothing_and_the_session_goes_on(spark, scan, tmp_path, monkeypatch, ends):
    real = _native.GatheredFolder

    class Interrupted:
        def __init__(self, words):
            self.folder = real(words)

        def __getattr__(self, name):
            return getattr(self.folder, name)

        def add_block(self, *block):
            self.folder.add_block(*block)
            [unfinished] = [path for path in tmp_path.iterdir() if path.is_dir()]
            assert list(unfinished.rglob("part-*.parquet"))
            raise ends

    monkeypatch.setattr(_native, "GatheredFolder", Interrupted)
    with pytest.raises(ends):
        tomobasis.spark.decompose(spark, scan, by="tasks", output=tmp_path / "result")
    assert list(tmp_path.iterdir()) == []
    assert spark.range(5).count() == 5 and not any(tag.startswith("tomobasis") for tag in spark.getTags())


@pytest.mark.spark
def test_what_tasks_do_not_do_is_one_error_before_any_work(spark, scan, tmp_path):
    for options, says in [
        ({"composite": [2]}, "composite: it is for a result folder"),
        ({"overwrite": True}, "overwrite: it is for a result folder"),
        ({"output": "s3a://bucket/result"}, "output: s3a: is read and written by the Spark job only"),
        ({"output": scan}, "output: "),
        ({"output": ""}, "'output"),
        ({"threads": -1}, "threads -1 is outside"),
        ({"threads": 1.5}, "threads is of the type float"),
        ({"output": tmp_path / "x", "reference": "y"}, "reference: the job does not"),
        ({"output": tmp_path / "x", "emit": ["csv"]}, "emit"),
        ({"series": "all"}, "series: of all series"),
        ({"input_format": "npy"}, "input_format: "),
        ({"on_bad_slice": "skip"}, "on_bad_slice: "),
        ({"method": "dssvd"}, "rank: dssvd needs"),
        ({"groups": 0}, "groups"),
        ({"color": "red"}, "color"),
        ({"rank": 10}, "rank"),
    ]:
        with pytest.raises(tomobasis.InputError, match=says):
            tomobasis.spark.decompose(spark, scan, by="tasks", **options)
    with pytest.raises(tomobasis.FileError):
        tomobasis.spark.decompose(spark, tmp_path / "nowhere")
    with pytest.raises(tomobasis.InputError, match="spark is of the type NoneType"):
        tomobasis.spark.decompose(None, scan)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.spark
@pytest.mark.parametrize("values, says", [([1, 2], "must have 9 values"), ([1] * 8 + [None], "null")])
def test_rows_of_another_length_end_the_query_with_our_words(spark, values, says):
    df = spark.createDataFrame([(values,)], "pixels array<int>")
    for _ in range(3):
        with pytest.raises(Exception) as caught:
            tomobasis.spark.gram_state(df, "pixels", 9)
        # Spark itself may trip over the end of the worker before it has read why.
        if "CancelledKeyException" not in str(caught.value):
            break
    assert says in str(caught.value)
