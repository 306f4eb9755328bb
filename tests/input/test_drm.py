"""`--input-format drm`: matrices in the SequenceFiles of Mahout. The files are written, and read back, by Mahout's own classes and
Hadoop's; the root digest is that of the same numbers as NumPy's `.npy`."""

import json

import numpy as np
import pytest

from mahout import drm_program
from running import submit, tomobasis

CODEC = "org.apache.hadoop.io.compress."


@pytest.fixture(scope="module")
def mahout(tmp_path_factory):
    return drm_program(tmp_path_factory.mktemp("mahout"))


@pytest.fixture
def write(mahout, tmp_path):
    """Writes rows of a matrix as a SequenceFile, and checks that Mahout reads the same from it."""

    def to(file, a, rows, packing="NONE", codec="-", key="int", vectors="mixed"):
        numbers = tmp_path / "numbers"
        numbers.write_bytes(np.array(a.shape, ">i4").tobytes() + a.astype(">f8").tobytes())
        mahout(numbers, file, packing, codec, key, vectors, *rows)
        back = np.frombuffer(numbers.read_bytes()[8:], ">f8").reshape(-1, a.shape[1])
        assert (back == a[np.sort(rows)]).all()
        return file

    return to


def matrix(m, n, seed=1):
    a = np.random.default_rng(seed).standard_normal((m, n))
    a[np.abs(a) < 0.4] = 0
    return a


@pytest.fixture
def root(tmp_path):
    """The root digest of an input."""
    made = iter(range(100))

    def of(path, form="drm", *options):
        out = tmp_path / f"out{next(made)}"
        words = ("--input-format", form, "--input", path, "--output", out, "--emit", "parquet", *options)
        done = tomobasis("decompose", *words)
        assert done.code == 0, done.err
        manifest = json.loads((out / "manifest.json").read_text())
        assert manifest["parameters"]["input_format"] == form
        return manifest["digests"]["root"]

    return of


def npy(path, a):
    np.save(path, a)
    return path


def test_every_packing_that_is_read_in_any_order_is_the_matrix(tmp_path, write, root):
    a = matrix(1500, 6)
    right = root(npy(tmp_path / "a.npy", a), "npy")
    order = np.random.default_rng(2).permutation(1500)
    for i, (packing, codec, key, rows) in enumerate(
        [
            ("NONE", "-", "int", range(1500)),
            ("NONE", "-", "long", order),
            ("RECORD", CODEC + "DefaultCodec", "int", order),
            ("RECORD", CODEC + "GzipCodec", "int", range(1500)),
            ("BLOCK", CODEC + "DefaultCodec", "long", range(1500)),
            ("BLOCK", CODEC + "GzipCodec", "int", order),
        ]
    ):
        assert root(write(tmp_path / f"{i}.seq", a, rows, packing, codec, key)) == right, (packing, codec, key)


def test_each_kind_of_vector_is_the_matrix(tmp_path, write, root):
    integers = np.random.default_rng(3).integers(-500, 500, (300, 5)).astype(float)
    right = root(npy(tmp_path / "a.npy", integers), "npy")
    for kind in ("dense", "random", "sequential", "named", "lax", "mixed"):
        assert root(write(tmp_path / f"{kind}.seq", integers, range(300), vectors=kind)) == right, kind


def test_a_folder_as_mahout_leaves_it_and_its_rows_between_files(tmp_path, write, root):
    a = matrix(900, 4)
    right = root(npy(tmp_path / "a.npy", a), "npy")
    folder = tmp_path / "drm"
    folder.mkdir()
    write(folder / "part-r-00000", a, range(0, 900, 2), "BLOCK", CODEC + "DefaultCodec")
    write(folder / "part-r-00001", a, range(1, 900, 2))
    (folder / "_SUCCESS").touch()
    (folder / ".part-r-00000.crc").write_bytes(b"crc")
    assert root(folder) == right
    out = tmp_path / "result"
    done = tomobasis("decompose", "--input-format", "drm", "--input", folder, "--output", out)
    assert done.code == 0 and "2 files were not read" in done.err, done.err
    assert tomobasis("verify", out, "--input", folder).code == 0


def refused(path, out, *said):
    done = tomobasis("decompose", "--input-format", "drm", "--input", path, "--output", out)
    assert done.code == 3 and len(done.errors) == 1, done.err
    assert all(words in done.errors[0] for words in said), done.errors
    assert not out.exists()


def test_rows_that_are_missing_or_there_twice_and_other_files_are_refused(tmp_path, write):
    a = matrix(40, 4)
    folder, out = tmp_path / "drm", tmp_path / "result"
    folder.mkdir()
    write(folder / "part-r-00000", a, range(20))
    write(folder / "part-r-00001", a, range(21, 40))
    refused(folder, out, "key 20 is missing", "file 1 of 2")
    write(folder / "part-r-00001", a, range(19, 40))
    refused(folder, out, "a record with key 19, and so has another", "file 2 of 2")
    write(folder / "part-r-00001", a, range(20, 40), "BLOCK", CODEC + "BZip2Codec")
    refused(folder, out, "compressed by org.apache.hadoop.io.compress.BZip2Codec", "file 2 of 2")
    whole = write(tmp_path / "whole.seq", a, range(40))
    whole.write_bytes(whole.read_bytes()[:-3])
    refused(whole, out, "ends within a record")
    (tmp_path / "text.csv").write_text("1,2\n3,4\n")
    refused(tmp_path / "text.csv", out, "no SequenceFile of Hadoop's")


@pytest.mark.spark
def test_the_job_reads_the_same_matrix_as_the_command(tmp_path, write, root):
    a = matrix(9000, 5)
    right = root(npy(tmp_path / "a.npy", a), "npy")
    order = np.random.default_rng(4).permutation(9000)
    folder = tmp_path / "drm"
    folder.mkdir()
    write(folder / "part-0", a, order[:4000], "BLOCK", CODEC + "DefaultCodec")
    write(folder / "part-1", a, order[4000:])
    words = ("--input-format", "drm", "--input", folder, "--output", tmp_path / "result")
    run = submit(*words, conf=["spark.default.parallelism=3"])
    assert run.code == 0, run.err
    assert json.loads((tmp_path / "result/manifest.json").read_text())["digests"]["root"] == right
