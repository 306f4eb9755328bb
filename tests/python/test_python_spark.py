"""The same digests from DataFrames of PySpark: a classic session, and a real Spark Connect server."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyspark
import pytest
from pyspark.sql import SparkSession

import tomobasis
import tomobasis.spark

A = np.random.default_rng(22).integers(-1000, 3000, (1500, 9)).astype(np.int16)


@contextmanager
def classic(_):
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    try:
        yield spark
    finally:
        spark.stop()


@contextmanager
def connect(folder):
    """A server in a process of its own, as `start-connect-server.sh` starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = Path(pyspark.__file__).parent
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": folder / "warehouse",
    }
    conf = [word for item in settings.items() for word in ("--conf", "=".join(map(str, item)))]
    server = "org.apache.spark.sql.connect.service.SparkConnectServer"
    command = [home / "bin/spark-submit", "--master", "local[2]", "--class", server, *conf, "spark-internal"]
    environment = {**os.environ, "SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(word) for word in command], cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 120
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()[-2000:]
            time.sleep(0.2)
        spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
        try:
            yield spark
        finally:
            spark.stop()
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module", params=[classic, connect], ids=["classic", "connect"])
def spark(request, tmp_path_factory):
    os.environ["PYSPARK_PYTHON"] = sys.executable
    # Workers import much, twice as slowly in the development mode.
    os.environ.pop("PYTHONDEVMODE", None)
    with request.param(tmp_path_factory.mktemp("spark")) as session:
        yield session


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


@pytest.mark.spark
@pytest.mark.parametrize("values, says", [([1, 2], "must have 9 values"), ([1] * 8 + [None], "null")])
def test_rows_of_another_length_end_the_query_with_our_words(spark, values, says):
    df = spark.createDataFrame([(values,)], "pixels array<int>")
    with pytest.raises(Exception, match=says):
        tomobasis.spark.gram_state(df, "pixels", 9)
