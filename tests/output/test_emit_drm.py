"""`--emit drm`: the factors in SequenceFiles that Mahout's own classes and Hadoop's read, and write in the same bytes."""

import hashlib
import json

import numpy as np
import pytest

from mahout import drm_program
from oracle import result
from results import same
from running import decompose, made_scan, submit, tomobasis

# Two row blocks, of which the second is short.
ROWS, COLUMNS, SLICES, K = 70, 80, 24, 20
# Where the mark of a file with keys of 4 bytes is in its header.
MARK = slice(81, 97)


@pytest.fixture(scope="module")
def mahout(tmp_path_factory):
    return drm_program(tmp_path_factory.mktemp("mahout"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A scan, and its result with tables and SequenceFiles."""
    base = tmp_path_factory.mktemp("drm")
    made_scan(base / "scan", slices=SLICES, rows=ROWS, columns=COLUMNS)
    run = decompose("--input", base / "scan", "--output", base / "result", "--rank", K, "--emit", "parquet,drm")
    assert run.code == 0, run.err
    return base


def numbers(path):
    """What `Drm.java` has in a file of numbers."""
    raw = path.read_bytes()
    rows, columns = np.frombuffer(raw[:8], ">i4")
    return np.frombuffer(raw[8:], ">f8").astype(float).reshape(rows, columns)


def bits(a):
    return np.ascontiguousarray(a).view(np.uint64)


def parts(folder):
    return sorted(folder.glob("part-*"))


def test_mahout_reads_the_tables_to_the_bit(made, mahout, tmp_path):
    tables = result.read(made / "result")
    for name, table in {"U": tables.u, "V": tables.v, "s": tables.s[np.newaxis]}.items():
        found = []
        for part in parts(made / "result/drm" / name):
            mahout(tmp_path / "numbers", part)
            found.append(numbers(tmp_path / "numbers"))
        assert len(found) == (2 if name == "U" else 1)
        assert np.array_equal(bits(np.concatenate(found)), bits(table)), name


def test_hadoop_writes_the_same_bytes_but_for_its_mark(made, mahout, tmp_path):
    tables = result.read(made / "result")
    for name, table in {"U": tables.u, "V": tables.v, "s": tables.s[np.newaxis]}.items():
        for number, part in enumerate(parts(made / "result/drm" / name)):
            path = f"drm/{name}/part-{number:05}"
            ours = part.read_bytes()
            assert ours[MARK] == hashlib.sha256(path.encode()).digest()[:16]
            given, theirs = tmp_path / "given", tmp_path / "theirs"
            given.write_bytes(np.array(table.shape, ">i4").tobytes() + table.astype(">f8").tobytes())
            rows = range(4096 * number, min(4096 * (number + 1), len(table)))
            mahout(given, theirs, "NONE", "-", "int", "dense", *rows)
            theirs = theirs.read_bytes()
            assert theirs.replace(theirs[MARK], ours[MARK]) == ours, path
            # The first block is long enough for marks among its records.
            assert ours.count(ours[MARK]) == (7 if path == "drm/U/part-00000" else 1 + len(ours) // 102400)


def test_a_reader_that_begins_amid_a_file_gets_all_rows_behind_a_mark(made, mahout, tmp_path):
    part, u = made / "result/drm/U/part-00000", result.read(made / "result").u[:4096]
    mahout(tmp_path / "numbers", part, part.stat().st_size // 2)
    rows = numbers(tmp_path / "numbers")
    assert 1000 < len(rows) < 2048 and np.array_equal(rows, u[-len(rows) :])


def test_they_are_read_as_the_matrices_that_they_are(made, tmp_path):
    tables = result.read(made / "result")
    for name, table in {"U": tables.u, "V": tables.v, "s": tables.s[np.newaxis]}.items():
        np.save(tmp_path / f"{name}.npy", table)
        inputs = {"drm": made / "result/drm" / name, "npy": tmp_path / f"{name}.npy"}
        roots = set()
        for form, path in inputs.items():
            out = tmp_path / f"{name}-{form}"
            run = tomobasis("decompose", "--input-format", form, "--input", path, "--output", out, "--emit", "parquet")
            assert run.code == 0, run.err
            roots.add(json.loads((out / "manifest.json").read_text())["digests"]["root"])
        assert len(roots) == 1, name


def test_of_a_matrix_they_are_written_too_and_verified(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(5).standard_normal((5000, 4)))
    out = tmp_path / "out"
    job = ("--input-format", "npy", "--input", tmp_path / "a.npy")
    run = decompose(*job, "--output", out, "--emit", "drm")
    assert run.code == 0 and str(out / "drm") in run.out, run.err
    assert tomobasis("verify", out, "--input", tmp_path / "a.npy").code == 0
    path = out / "drm/V/part-00000"
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    path.write_bytes(changed)
    run = tomobasis("verify", out, "--input", tmp_path / "a.npy")
    assert run.code == 4 and "drm/V/part-00000" in run.err


@pytest.mark.spark
@pytest.mark.parametrize(("master", "partitions"), [("local[1]", 1), ("local[2]", 7)])
def test_partitions_do_not_change_a_byte(made, tmp_path, master, partitions):
    options = ("--rank", "6", "--emit", "drm", "--center")
    one = decompose("--input", made / "scan", "--output", tmp_path / "command", *options)
    assert one.code == 0, one.err
    conf = [f"spark.default.parallelism={partitions}"]
    job = submit("--input", made / "scan", "--output", tmp_path / "job", *options, master=master, conf=conf)
    assert job.code == 0, job.err
    same(tmp_path / "command", tmp_path / "job")
    assert len(parts(tmp_path / "job/drm/U")) == 2
