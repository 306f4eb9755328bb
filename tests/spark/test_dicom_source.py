"""The data source of the jar on a PySpark session: the columns of the one in Python, and what pydicom reads."""

import ast
import base64
import json
import os
import subprocess
import sys

import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless

from running import ROOT, made_scan

pytestmark = pytest.mark.spark

CALLS = """
import base64, json, sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
said = {}
for name, path in json.loads(sys.argv[2]).items():
    frame = spark.read.format("dicom").options(pixels="true", padding="keep", patient_data="true").load(path)
    rows = [row.asDict() for row in frame.orderBy("series", "slice").collect()]
    said[name] = {
        "schema": {field.name: field.dataType.simpleString() for field in frame.schema},
        "rows": [{**row, "pixels": base64.b64encode(row["pixels"]).decode()} for row in rows],
    }
json.dump(said, open(sys.argv[1], "w"))
"""

STORAGES = {
    "plain": {},
    "unsigned 16 bits": {"bits": 16, "intercept": -8192},
    "compressed": {"transfer_syntax": "implicit"},
}


def of_python():
    """Names and types of the data source in Python, whose module needs a build that is not there."""
    tree = ast.parse((ROOT / "python/tomobasis/_dicom_source.py").read_text())
    tables = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    by_pydicom = ast.literal_eval(tables["KEYWORDS"]).keys()
    columns = {}
    for name in ("METADATA", "PIXELS", "PATIENT"):
        columns |= ast.literal_eval(tables[name])
    return {name: kind.replace("long", "bigint") for name, kind in columns.items() if name not in by_pydicom}


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    work = tmp_path_factory.mktemp("source")
    scans = {name: made_scan(work / name, slices=7, seed=i, **how)[1] for i, (name, how) in enumerate(STORAGES.items())}
    for path in scans["compressed"]:
        slice = pydicom.dcmread(path)
        slice.compress(RLELossless)
        slice.save_as(path)
    jar = ROOT / "build/tomobasis-spark.jar"
    environment = {
        **os.environ,
        "PYSPARK_SUBMIT_ARGS": f"--driver-class-path {jar} --jars {jar} pyspark-shell",
        "LC_ALL": "C.UTF-8",
    }
    paths = json.dumps({name: str(work / name) for name in scans})
    script = [sys.executable, "-c", CALLS, str(work / "said.json"), paths]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return scans, json.loads((work / "said.json").read_text())


def test_its_columns_are_those_of_the_data_source_in_python(said):
    _, answers = said
    assert answers["plain"]["schema"] == of_python()


@pytest.mark.parametrize("name", STORAGES)
def test_rows_say_what_pydicom_reads(said, name):
    scans, answers = said
    rows = answers[name]["rows"]
    assert len(rows) == len(scans[name])
    for row, path in zip(rows, scans[name], strict=True):
        theirs = pydicom.dcmread(path)
        assert row["path"] == str(path) and row["sop_instance_uid"] == theirs.SOPInstanceUID
        assert row["series_instance_uid"] == theirs.SeriesInstanceUID
        assert (row["rows"], row["columns"], row["slices"]) == (theirs.Rows, theirs.Columns, len(rows))
        assert row["origin_mm"] == list(theirs.ImagePositionPatient) and row["modality"] == theirs.Modality
        assert row["orientation"] == list(theirs.ImageOrientationPatient)
        assert row["pixel_spacing_mm"] == list(theirs.PixelSpacing)
        assert row["instance_number"] == theirs.InstanceNumber and row["bits_stored"] == theirs.BitsStored
        assert (row["slope"], row["intercept"]) == (theirs.RescaleSlope, theirs.RescaleIntercept)
        assert row["transfer_syntax"] == theirs.file_meta.TransferSyntaxUID
        stored = np.frombuffer(base64.b64decode(row["pixels"]), "<i2").astype(int) + row["offset"]
        assert np.array_equal(stored.reshape(theirs.Rows, theirs.Columns), theirs.pixel_array)
    assert {row["offset"] for row in rows} == {32768 if name.startswith("unsigned") else 0}
