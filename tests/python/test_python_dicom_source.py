"""The data source `format("dicom")` of the package, in a classic session and over Spark Connect."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pydicom
import pytest

import tomobasis
import tomobasis.spark
from running import ROOT
from tomobasis._dicom_source import METADATA


@pytest.mark.spark
def test_slices_are_read_whether_spark_pushes_filters_or_not(dicom, scan):
    for pushed in ("false", "true"):
        dicom.conf.set("spark.sql.python.filterPushdown.enabled", pushed)
        frame = dicom.read.format("dicom").load(str(scan))
        assert frame.count() == frame.where("modality = 'CT' and slice >= 0").count() > 0


@pytest.fixture(scope="module")
def dicom(spark):
    spark.dataSource.register(tomobasis.spark.DicomDataSource)
    spark.conf.set("spark.sql.python.filterPushdown.enabled", "true")
    return spark


@pytest.mark.spark
def test_slices_are_rows_and_their_pixels_are_decoded_where_they_are_asked_for(dicom, scan):
    theirs = tomobasis.read(scan, padding="keep")
    df = dicom.read.format("dicom").load(str(scan))
    assert df.columns == list(METADATA)
    rows = df.orderBy("slice").collect()
    assert [row.position_mm for row in rows] == theirs.positions.tolist()
    assert {(row.rows, row.columns, row.slices, row.series) for row in rows} == {(70, 80, 9, theirs.id)}
    assert np.array_equal([row.origin_mm for row in rows], theirs.origins)
    some = dicom.read.format("dicom").schema("pixels binary, slice int, offset int").option("padding", "keep")
    some = some.option("slices_per_partition", 4).load(str(scan))
    assert some.rdd.getNumPartitions() == 3 if hasattr(type(some), "_jdf") else True
    found = some.where("slice in (2, 5)").orderBy("slice").collect()
    pixels = np.array([np.frombuffer(row.pixels, "<i2").reshape(70, 80) + row.offset for row in found])
    assert np.array_equal(pixels, theirs.stored[[2, 5]] + theirs.offset[[2, 5], None, None])


# In a process of its own: Spark refuses a format that is both in a jar and registered.
OF_THE_JAR = """
import pickle, sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
df = spark.read.format("dicom").options(pixels="true", padding="keep").load(sys.argv[1])
pickle.dump((df.dtypes, df.orderBy("slice").collect()), open(sys.argv[2], "wb"))
"""


@pytest.mark.spark
def test_the_jar_gives_the_same_rows(dicom, scan, tmp_path):
    jar = ROOT / "build/tomobasis-spark.jar"
    # What a session of Spark Connect leaves there would make this one another.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
    environment["PYSPARK_SUBMIT_ARGS"] = f"--driver-class-path {jar} --jars {jar} pyspark-shell"
    script = [sys.executable, "-c", OF_THE_JAR, str(scan), str(tmp_path / "rows")]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    types, rows = pickle.loads((tmp_path / "rows").read_bytes())
    df = dicom.read.format("dicom").option("pixels", "true").option("padding", "keep").load(str(scan))
    assert df.dtypes == types
    assert df.orderBy("slice").collect() == rows and len(rows) == 9


@pytest.mark.spark
def test_filters_on_metadata_are_pushed_down(dicom, scan):
    df = dicom.read.format("dicom").schema("slice int, position_mm double, modality string").load(str(scan))
    every = df.collect()
    middle = every[4].position_mm
    for condition, keeps in {
        f"position_mm < {middle}": lambda row: row.position_mm < middle,
        "slice in (1, 3) and modality = 'CT'": lambda row: row.slice in (1, 3),
        "not slice = 4 and slice >= 2": lambda row: row.slice != 4 and row.slice >= 2,
        "modality like 'M%' or slice is null": lambda row: False,
        "modality like 'C%'": lambda row: True,
    }.items():
        assert sorted(df.where(condition).collect()) == sorted(row for row in every if keeps(row)), condition


@pytest.mark.spark
def test_nothing_of_the_patient_is_a_column_unless_asked(dicom, scan):
    read = dicom.read.format("dicom")
    with pytest.raises(Exception, match="patient_data"):
        read.schema("patient_name string").load(str(scan)).collect()
    read = read.schema("patient_name string, sop_instance_uid string, path string").option("patient_data", "true")
    row = read.load(str(scan)).first()
    header = pydicom.dcmread(row.path)
    assert row.patient_name == str(header.PatientName) and row.sop_instance_uid == header.SOPInstanceUID


@pytest.mark.spark
@pytest.mark.parametrize(
    "options, schema, says",
    [
        ({"color": "red"}, None, "color"),
        ({"pixels": "maybe"}, None, "neither true nor false"),
        ({"slices_per_partition": "0"}, None, "slices_per_partition"),
        ({"series": "0000"}, None, "series"),
        ({}, "color string", "no such column"),
        ({}, "slice string", "it is int"),
    ],
)
def test_options_and_columns_that_there_are_not_end_the_query_with_our_words(dicom, scan, options, schema, says):
    read = dicom.read.format("dicom").options(**options)
    read = read.schema(schema) if schema else read
    with pytest.raises(Exception, match=says):
        read.load(str(scan)).collect()
