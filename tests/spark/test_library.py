"""The library on a PySpark session that is there, called through py4j: the digests of the command, whatever the matrix comes from."""

import json
import os
import subprocess
import sys

import numpy as np
import pydicom
import pytest

from denoised import same
from running import ROOT, decompose, made_scan, tomobasis

pytestmark = pytest.mark.spark

# Once for all cases: a session of PySpark with the jar, as a notebook has it.
CALLS = """
import json, sys
import numpy as np
from pyspark.ml.linalg import Vectors
from pyspark.sql import DataFrame, SparkSession

work, calls = sys.argv[1], json.loads(sys.argv[2])
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
tomobasis = spark._jvm.io.tomobasis.spark.TomoBasis
said = {}
for name, (source, options) in calls.items():
    try:
        if options.pop("call", "") == "denoise":
            result = tomobasis.denoise(spark._jsparkSession, source, options)
            pixels = DataFrame(result.slices(), spark).orderBy("slice").select("pixels").toPandas()["pixels"]
            said[name] = [np.frombuffer(one, "<i2").tolist() for one in pixels]
            result.close()
            continue
        if source.endswith("frame"):
            a = np.load(f"{work}/a.npy").tolist()
            rows = [(i, Vectors.dense(row)) for i, row in enumerate(a)]
            frame = spark.createDataFrame(rows, ["index", "values"]).repartition(5)
            result = tomobasis.decompose(frame._jdf, options)
        else:
            result = tomobasis.decompose(spark._jsparkSession, source, options)
        s = DataFrame(result.s(), spark).orderBy("index").toPandas()["sigma"].tolist()
        rows = DataFrame(result.U(), spark).count()
        said[name] = {"root": result.root(), "s": s, "rows": rows, "rank": result.rank()}
        result.close()
    except Exception as error:
        said[name] = {"error": str(getattr(error, "java_exception", error))}
assert spark.range(5).count() == 5
json.dump(said, open(f"{work}/said.json", "w"))
"""


def stored(path):
    """Stored values of a slice less the offset that makes them fit 16 bits with a sign."""
    dataset = pydicom.dcmread(path)
    values = dataset.pixel_array.astype(int)
    wide = dataset.PixelRepresentation == 0 and dataset.BitsStored == 16
    return (values - 32768 if wide else values).ravel().tolist()


def test_every_source_has_the_digest_of_the_command(tmp_path, made):
    jar = ROOT / "build/tomobasis-spark.jar"
    a = np.random.default_rng(3).standard_normal((9000, 5)) * 2.0 ** -np.arange(5)
    np.save(tmp_path / "a.npy", a)
    npy = str(tmp_path / "a.npy")
    thin = tmp_path / "thin"
    made_scan(thin, slices=40, rows=64, columns=80)
    calls = {
        "scan": (str(made.folder), {"rank": "5", "center": "true"}),
        "written": (str(made.folder), {"rank": "5", "center": "true", "output": str(tmp_path / "written")}),
        "npy": (npy, {"input-format": "npy"}),
        "frame": ("a frame", {}),
        "denoised": (str(thin), {"call": "denoise", "output": str(tmp_path / "denoised")}),
        "refused": (npy, {"input-format": "npy", "rank": "6"}),
    }
    script = [sys.executable, "-c", CALLS, str(tmp_path), json.dumps(calls)]
    submit = f"--driver-class-path {jar} --jars {jar} pyspark-shell"
    environment = {**os.environ, "PYSPARK_SUBMIT_ARGS": submit, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(script, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads((tmp_path / "said.json").read_text())

    def command(name, *words):
        run = decompose(*words, "--output", tmp_path / name)
        assert run.code == 0, run.err
        return json.loads((tmp_path / name / "manifest.json").read_text())["digests"]["root"]

    run = tomobasis("denoise", "--input", thin, "--output", tmp_path / "of-command")
    assert run.code == 0, run.err
    same(tmp_path / "denoised", tmp_path / "of-command")
    files = sorted((tmp_path / "denoised/dicom").iterdir())
    assert said["denoised"] == [stored(path) for path in files]
    scan = command("of-scan", "--input", made.folder, "--rank", "5", "--center")
    matrix = command("of-matrix", "--input", npy, "--input-format", "npy")
    roots = {name: said[name].get("root", said[name]) for name in ["scan", "written", "npy", "frame"]}
    assert roots == {"scan": scan, "written": scan, "npy": matrix, "frame": matrix}
    assert json.loads((tmp_path / "written/manifest.json").read_text())["digests"]["root"] == scan
    assert np.allclose(said["frame"]["s"], np.linalg.svd(a, compute_uv=False), rtol=1e-12)
    assert said["frame"]["s"] == said["npy"]["s"] and said["frame"]["rows"] == 9000 and said["scan"]["rank"] == 5
    refused = decompose("--input", npy, "--input-format", "npy", "--rank", "6", "--output", tmp_path / "none")
    assert said["refused"]["error"].endswith(refused.errors[0].removeprefix("error: "))
