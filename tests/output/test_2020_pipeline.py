"""The pipeline of 2020, step by step, with our programs in the places of its containers (docs/the-2020-pipeline.md): a tar.gz, its
DICOM files, `s.csv`, the factors as text files, the figure. What its first and last program did is done here in NumPy."""

import ast
import tarfile

import numpy as np
import pydicom
import pytest

from oracle import result
from results import same
from running import decompose, made_scan, submit, tomobasis

# As submitted, of 301 slices: k, p, q = 245, 15, 1. Here k of 24.
K, P, Q = 20, 15, 1
PERCENT = [0.1, 1, 5, 10, 30]


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """The case as it was stored in the bucket, and unpacked."""
    base = tmp_path_factory.mktemp("case")
    made_scan(base / "case001/axial", rows=70, columns=80, intercept=0, signed=True, bits=16)
    with tarfile.open(base / "covid-dicoms.tar.gz", "w:gz") as archive:
        archive.add(base / "case001", "case001")
    with tarfile.open(base / "covid-dicoms.tar.gz") as archive:
        archive.extractall(base / "data", filter="data")
    return base


def stored(folder):
    """The pixels as stored, rows x columns x slices, by ascending Slice Location."""
    slices = sorted(map(pydicom.dcmread, folder.iterdir()), key=lambda one: one.SliceLocation)
    return np.stack([one.pixel_array for one in slices], axis=2).astype(float)


@pytest.fixture(scope="module")
def csv(scan):
    """`s.csv`: a line of floats for each pixel, a column for each slice."""
    voxels = stored(scan / "data/case001/axial")
    np.savetxt(scan / "s.csv", voxels.reshape(-1, voxels.shape[2]), delimiter=",")
    return scan / "s.csv"


def drm(folder):
    """Rows of a matrix that was saved as text: every file of the folder, a Python literal in each line. As its reader did, a row is
    as long as it has entries."""
    rows = {}
    for part in folder.iterdir():
        for line in part.read_text().split("\n")[:-1]:
            key, entries = ast.literal_eval(line)
            rows[key] = np.array([entries[i] for i in range(len(entries))])
    return np.array([rows[i] for i in range(len(rows))])


def factors(text):
    """`drmV` (m x k), `s`, and `drmU` (k x n, since it was saved transposed)."""
    values = [float(line) for line in (text / "s/part-00000").read_text().split("\n") if line]
    return drm(text / "drmV"), np.array(values), drm(text / "drmU")


def kept(k):
    """Singular values that are not set to zero, for each percentage."""
    return [round(k - k * (percent / 100)) for percent in PERCENT]


def test_from_raw_folder_to_figure(scan, csv, way, tmp_path):
    out = tmp_path / "result"
    method = ("--method", "dssvd", "--rank", K, "--oversample", P, "--power-iterations", Q)
    run = way("--input-format", "text", "--input", csv, "--output", out, *method, "--emit", "text")
    assert run.code == 0, run.err
    basis, s, weights = factors(out / "text")
    voxels = stored(scan / "data/case001/axial")
    rows, columns, n = voxels.shape
    assert basis.shape == (rows * columns, K) and weights.shape == (K, n) and len(s) == K
    u, sigma, vt = np.linalg.svd(voxels.reshape(-1, n), full_matrices=False)
    for count in kept(K):
        diagonal = np.where(np.arange(K) < count, s, 0)
        rebuilt = (weights.T @ np.diag(diagonal) @ basis.T).T.reshape(rows, columns, n)
        right = ((u[:, :count] * sigma[:count]) @ vt[:count]).reshape(rows, columns, n)
        # The sketch is as wide as the matrix here, so nothing but rounding is left of it.
        assert np.abs(rebuilt - right).max() < 1e-6
    assert kept(K) == [20, 20, 19, 18, 14]


def test_its_csv_is_the_scan(scan, csv, tmp_path):
    for name, job in {
        "scan": ("--input", scan / "covid-dicoms.tar.gz"),
        "csv": ("--input-format", "text", "--input", csv),
    }.items():
        run = decompose(*job, "--output", tmp_path / name, "--rank", K, "--emit", "parquet,text")
        assert run.code == 0, run.err
    found = {name: result.read(tmp_path / name).manifest["digests"] for name in ("scan", "csv")}
    for number in ("pixels", "s", "V", "U"):
        assert found["scan"][number] == found["csv"][number], number
    for path in (tmp_path / "scan/text").rglob("part-*"):
        other = tmp_path / "csv/text" / path.relative_to(tmp_path / "scan/text")
        assert path.read_bytes() == other.read_bytes(), path


def test_the_text_files_are_the_tables_and_zeros_are_written(tmp_path):
    a = np.random.default_rng(1).integers(-1000, 1000, (5000, 6))
    a[4090:4100] = 0
    np.savetxt(tmp_path / "s.csv", a.astype(float), delimiter=",")
    out = tmp_path / "result"
    run = decompose("--input-format", "text", "--input", tmp_path / "s.csv", "--output", out, "--emit", "parquet,text")
    assert run.code == 0, run.err
    basis, s, weights = factors(out / "text")
    tables = result.read(out)
    for text, table in ((basis, tables.u), (s, tables.s), (weights.T, tables.v)):
        assert np.array_equal(text, table)
    # Mahout leaves out entries that are zero, and its reader then took such a row for one without columns.
    lines = (out / "text/drmV/part-00001").read_text().splitlines()
    assert lines[0].startswith("(4096,{0:") and lines[0].count(":") == 6 and not basis[4096].any()


@pytest.mark.spark
@pytest.mark.parametrize(("master", "partitions"), [("local[1]", 1), ("local[2]", 7)])
def test_partitions_do_not_change_the_text_files(scan, tmp_path, master, partitions):
    folder = scan / "data/case001/axial"
    options = ("--rank", "6", "--emit", "text", "--center")
    one = decompose("--input", folder, "--output", tmp_path / "command", *options)
    assert one.code == 0, one.err
    conf = [f"spark.default.parallelism={partitions}"]
    job = submit("--input", folder, "--output", tmp_path / "job", *options, master=master, conf=conf)
    assert job.code == 0, job.err
    same(tmp_path / "command", tmp_path / "job")
    assert len(list((tmp_path / "job/text/drmV").glob("part-*"))) == 2


def test_a_changed_digit_is_found(scan, tmp_path):
    out = tmp_path / "result"
    folder = scan / "data/case001/axial"
    assert decompose("--input", folder, "--output", out, "--rank", "3", "--emit", "text").code == 0
    verified = tomobasis("verify", out, "--input", folder)
    assert verified.code == 0, verified.err
    path = out / "text/drmV/part-00001"
    path.write_text(path.read_text().replace("(4100,{0:", "(4100,{0:1", 1))
    changed = tomobasis("verify", out, "--input", folder)
    assert changed.code == 4 and "text/drmV/part-00001" in changed.err


def test_a_matrix_has_no_other_pictures_than_before(csv, tmp_path):
    run = decompose("--input-format", "text", "--input", csv, "--output", tmp_path / "result", "--emit", "text,report")
    assert run.code == 2
    assert run.errors == ["error: --emit: of a matrix parquet, png, text and drm can be written; give these"]


def test_percentages_are_those_of_the_figures(scan, tmp_path):
    composites = ",".join(f"-{percent}%" for percent in PERCENT)
    job = ("--input", scan / "data/case001/axial", "--output", tmp_path / "result", "--rank", K, "--emit", "parquet")
    run = decompose(*job, f"--composite={composites}")
    assert run.code == 0, run.err
    manifest = result.read(tmp_path / "result").manifest
    assert [one["k"] for one in manifest["result"]["composites"]] == sorted(set(kept(K)))
    run = decompose(*job, "--overwrite", "--composite=-100%")
    assert run.code == 2 and "--composite" in run.err and "-100%" in run.err
