"""The job decomposes matrices as the command does: the same files to the byte, in every format, by every method, whatever the partitions."""

import json
import subprocess
import sys

import nibabel
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from results import same
from running import decompose, tomobasis

pytestmark = pytest.mark.spark


def random(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.fixture
def both(job, tmp_path):
    """Decomposes an input by the command and by the job, which have to make the same; the folder of the job's result."""
    made = iter(range(100))

    def run(path, form, *options):
        name = f"{path.name}-{next(made)}"
        words = ("--input-format", form, "--input", path, *options)
        done = decompose(*words, "--output", tmp_path / "command" / name)
        assert done.code == 0, done.err
        done = job(*words, "--output", tmp_path / "job" / name)
        assert done.code == 0, done.err
        same(tmp_path / "command" / name, tmp_path / "job" / name)
        return tmp_path / "job" / name

    (tmp_path / "command").mkdir()
    (tmp_path / "job").mkdir()
    return run


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def test_matrices_of_floats_and_of_integers_are_those_of_the_command(both, tmp_path):
    a = random(1, (20000, 7)) * 2.0 ** -np.arange(7)
    np.save(tmp_path / "a.npy", a)
    folder = both(tmp_path / "a.npy", "npy")
    assert manifest(folder)["result"]["class"] == "certified" and manifest(folder)["run"]["block_partitions"] > 1
    assert tomobasis("verify", folder, "--input", tmp_path / "a.npy").code == 0
    np.save(tmp_path / "columns.npy", np.asfortranarray(a))
    assert manifest(both(tmp_path / "columns.npy", "npy"))["digests"] == manifest(folder)["digests"]
    for means in ("pixels", "slices", "both"):
        centered = both(tmp_path / "a.npy", "npy", "--center", means)
        assert manifest(centered)["result"]["class"] == "certified"
        assert manifest(centered)["result"]["rank"] == 7 - (means != "slices")
    # Integers that need an offset: their way is that of pixels.
    np.save(tmp_path / "integers.npy", np.random.default_rng(2).integers(0, 65536, (9000, 5)).astype("f8"))
    both(tmp_path / "integers.npy", "npy", "--center", "both")
    np.save(tmp_path / "one.npy", random(3, (3, 2)))
    both(tmp_path / "one.npy", "npy")


def test_the_other_methods_take_them_too(both, tmp_path):
    np.save(tmp_path / "a.npy", random(4, (9000, 6)) * 10.0 ** (-100 * np.arange(6)))
    both(tmp_path / "a.npy", "npy", "--method", "tsqr", "--rank", "1")
    np.save(tmp_path / "b.npy", random(5, (9000, 6)) + 100)
    both(tmp_path / "b.npy", "npy", "--method", "dspca", "--rank", "3")


def test_parquet_nifti_and_text_are_those_of_the_command(both, tmp_path):
    a = random(6, (9000, 5))
    folder = tmp_path / "parts"
    folder.mkdir()
    for part, (first, last) in enumerate([(0, 5000), (5000, 9000)]):
        table = pa.table({f"c{j}": a[first:last, j] for j in range(5)})
        pq.write_table(table, folder / f"part-{part}.parquet", row_group_size=1700)
    (folder / "_SUCCESS").touch()
    roots = {manifest(both(folder, "parquet"))["digests"]["root"]}
    np.savetxt(tmp_path / "a.csv", a, fmt="%.17g", delimiter=",")
    roots.add(manifest(both(tmp_path / "a.csv", "text"))["digests"]["root"])
    for name in ["a.nii", "a.nii.gz"]:
        nibabel.save(nibabel.Nifti1Image(a.reshape((90, 100, 5), order="F"), np.eye(4)), tmp_path / name)
        roots.add(manifest(both(tmp_path / name, "nifti"))["digests"]["root"])
    assert len(roots) == 1


VECTORS = """
import sys
import numpy as np
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession

a = np.load(sys.argv[1])
builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
spark = builder.config("spark.sql.adaptive.enabled", "false").config("spark.sql.shuffle.partitions", 4).getOrCreate()
def vector(i, row):
    return Vectors.sparse(len(row), dict(enumerate(row))) if i % 3 == 0 else Vectors.dense(row)
rows = [(i, vector(i, row)) for i, row in enumerate(a.tolist())]
frame = spark.createDataFrame(rows, ["index", "vector"]).repartition(4).orderBy("index")
frame.write.parquet(sys.argv[2] + "/indexed")
frame.select("vector").write.option("compression", "gzip").parquet(sys.argv[2] + "/vectors")
"""


def test_vectors_that_spark_wrote_are_the_matrix(both, tmp_path):
    a = random(7, (500, 4))
    np.save(tmp_path / "a.npy", a)
    script = [sys.executable, "-c", VECTORS, tmp_path / "a.npy", tmp_path / "spark"]
    subprocess.run([str(word) for word in script], check=True, capture_output=True)
    right = manifest(both(tmp_path / "a.npy", "npy"))["digests"]
    assert len(list((tmp_path / "spark/indexed").glob("part-*"))) > 1
    for name in ["indexed", "vectors"]:
        assert manifest(both(tmp_path / "spark" / name, "parquet"))["digests"] == right


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("a.npy", b"", 3, "no .npy file"),
        ("b.npy", None, 3, "row 8001, column 3 is no finite number"),
        ("d.npy", None, 3, "column 2: its values span"),
        ("e.npy", None, 3, "largest magnitude of the matrix"),
    ],
)
def test_what_the_command_refuses_the_job_refuses_in_its_words(job, tmp_path, name, content, code, said):
    a = random(8, (9000, 4))
    if name == "b.npy":
        a[8000, 2] = np.nan
    if name == "d.npy":
        a[7, 1] = 1e-90
    if name == "e.npy":
        a *= 1e200
    np.save(tmp_path / name, a)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    errors = []
    for run in [decompose, job]:
        out = tmp_path / "out"
        done = run("--input-format", "npy", "--input", tmp_path / name, "--output", out)
        assert done.code == code and len(done.errors) == 1 and said in done.errors[0], done.err
        assert not out.exists()
        errors += done.errors
    assert errors[0] == errors[1]
