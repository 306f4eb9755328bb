"""The reference matrices: their definitions and certified factors, proven independently, and how others' factors are scored."""

import json
import os
import zipfile
from fractions import Fraction

import numpy as np
import pytest

from oracle import certificate, enclosure, rounding
from running import tomobasis

NAMES = "random ct tiny duplicates rank-deficient hadamard lauchli graded kahan hilbert clusters wilkinson".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference") / "matrices"
    run = tomobasis("reference", folder)
    assert run.code == 0, run.err
    return folder


@pytest.fixture
def scored(tmp_path):
    """Scores of arrays, by `tomobasis score --json`."""

    def score(**arrays):
        np.savez(tmp_path / "factors.npz", **arrays)
        run = tomobasis("score", "--json", tmp_path / "factors.npz")
        assert run.code == 0, run.err
        [score] = json.loads(run.out)["scores"]
        return score

    return score


def hadamard(d):
    h = np.array([[1]])
    for _ in range(4):
        h = np.block([[h, h], [h, -h]])
    # Integers times a power of two: exact in Python's.
    return [[sum(Fraction(x) * y * z for x, y, z in zip(d, row, column, strict=True)) for column in h.tolist()]
            for row in h.tolist()]  # fmt: skip


def defined():
    """The classical matrices as docs/reference-matrices.md defines them."""
    clusters = [(1 + Fraction(q, 2 ** (8 + 6 * c))) / 2 ** (6 * c) for c in range(4) for q in range(4)]
    w = np.diag(np.abs(np.arange(21) - 10)) + np.eye(21, k=1, dtype=int) + np.eye(21, k=-1, dtype=int)
    sine = Fraction(4, 5)
    kahan = [
        [5**22 * sine**i * (1 if i == j else -Fraction(3, 5) if i < j else 0) for j in range(22)] for i in range(22)
    ]
    lauchli = [[1] * 12] + [[Fraction(i == j, 2**30) for j in range(12)] for i in range(12)]
    return {
        "hadamard": hadamard([1, 1, 1, 1, 2, 2, 3, 3, 5, 8, 13, 13, 21, 34, 34, 55]),
        "clusters": hadamard(clusters),
        "hilbert": [[Fraction(232792560, i + j + 1) for j in range(10)] for i in range(10)],
        "kahan": kahan,
        "lauchli": lauchli,
        "wilkinson": w.tolist(),
    }


def test_the_folder_has_what_its_manifest_lists_and_the_same_bytes_each_time(folder, tmp_path):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [entry["name"] for entry in manifest["matrices"]] == NAMES
    assert {path.name for path in folder.iterdir()} == {f"{name}.npz" for name in NAMES} | {"manifest.json", "_SUCCESS"}
    again = tmp_path / "again"
    assert tomobasis("reference", again, "--threads", "1").code == 0
    for path in folder.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name
    with zipfile.ZipFile(folder / "kahan.npz") as file:
        assert {(i.date_time, i.compress_type) for i in file.infolist()} == {((1980, 1, 1, 0, 0, 0), 0)}


@pytest.mark.parametrize("name", NAMES)
def test_every_digit_of_every_matrix_is_proven(folder, name):
    file = np.load(folder / f"{name}.npz")
    entry = next(e for e in json.loads((folder / "manifest.json").read_text())["matrices"] if e["name"] == name)
    a, s, v = file["A"], file["s"], file["V"]
    exact = [[Fraction(x) for x in row] for row in a.tolist()]
    if name in defined():
        assert exact == defined()[name]
    assert a.shape == (entry["rows"], entry["columns"])
    assert file["rank"] == entry["rank"] == len(s)
    assert file["unresolved"].tolist() == entry["unresolved"]
    if name in ("ct", "random", "graded", "tiny"):
        # All simple: faster by enclosures than by the characteristic polynomial. The entries are integers over 2^bits.
        bits = max(x.denominator for row in exact for x in row).bit_length() - 1
        whole = np.array([[int(x * 2**bits) for x in row] for row in exact], dtype=object)
        twos = min(int(x & -x).bit_length() - 1 for x in whole.ravel() if x)
        whole >>= twos
        gram = (whole.T @ whole).tolist()
        enclosed = enclosure.enclose(gram, whole.astype(float)).scaled(2 * (twos - bits))
        assert rounding.unproven_values(enclosed, s) == [] and rounding.unproven_entries(enclosed, v) == []
        assert len(s) == a.shape[1] and entry["unresolved"] == []
        return
    # Second words of V are not in the file.
    words = np.zeros_like(v)
    ours = certificate.Result(entry["rank"], 0.0, s.tolist(), [False] * len(s), entry["unresolved"], v, words)
    truth = certificate.Truth(exact, 0, 1500)
    assert set(certificate.judged(truth, ours)) <= {"energy", "which columns have a second word"}


def test_numpys_decomposition_has_the_digits_that_an_independent_comparison_finds(folder, scored):
    for name in ("random", "kahan", "wilkinson"):
        file = np.load(folder / f"{name}.npz")
        u, s, vt = np.linalg.svd(file["A"], full_matrices=False)
        score = scored(matrix=name, s=s, V=vt.T, U=u)
        errors = np.abs(s - file["s"]) / file["s"]
        of_s = -np.log10(np.maximum(errors, 2.0**-53))
        assert np.allclose(score["columns"]["s"], of_s, atol=1e-6)
        assert score["digits"]["s"] == min(score["columns"]["s"])
        signs = np.sign(np.sum(vt.T * file["V"], axis=0))
        of_v = -np.log10(np.maximum(np.linalg.norm(vt.T * signs - file["V"], axis=0), 2.0**-53))
        assert np.allclose(score["columns"]["v"], np.maximum(of_v, 0), atol=1e-3)
        assert score["digits"]["product"] > 14
        # Gaps of 2^-20 and more, relative to the value: six digits of sixteen may be lost where values are near s_1.
        if name == "wilkinson":
            assert score["digits"]["v"] < 5 < 8.5 < score["digits"]["v_clusters"]


def test_spaces_of_equal_values_are_scored_by_their_largest_angle(folder, scored):
    file = np.load(folder / "hadamard.npz")
    v = file["V"].copy()
    angle = 1e-5
    # The last column of the four that belong to 16 is turned toward that of 880.
    v[:, 15] = np.cos(angle) * v[:, 15] + np.sin(angle) * v[:, 0]
    score = scored(matrix="hadamard", s=file["s"], V=v)
    assert np.allclose(score["columns"]["v"][12:], -np.log10(np.sin(angle)), atol=1e-6)
    assert min(score["columns"]["v"][:12]) > 15
    random = np.random.default_rng(1)
    basis = file["V"][:, 12:] @ np.linalg.qr(random.standard_normal((4, 4)))[0]
    assert scored(matrix="hadamard", s=file["s"], V=np.hstack([file["V"][:, :12], basis]))["digits"]["v"] > 14.5


def test_fewer_columns_and_single_precision_are_scored(folder, scored):
    file = np.load(folder / "ct.npz")
    score = scored(matrix="ct", s=file["s"][:5].astype(np.float32), V=np.asfortranarray(file["V"][:, :5]))
    assert (score["computed"], score["scored"], score["rank"], score["rank_found"]) == (5, 5, 32, None)
    assert 6.5 < score["digits"]["s"] < 9 and score["digits"]["v"] > 15.9 and score["digits"]["u"] is None


def test_reference_files_score_themselves_in_one_table(folder):
    run = tomobasis("score", *(folder / f"{name}.npz" for name in NAMES))
    assert run.code == 0, run.err
    lines = run.out.splitlines()
    assert [line.split()[0] for line in lines[1:13]] == NAMES
    assert "15.9" in lines[1]
    # Positions of the columns: a name, "k of rank", the rank, s, s / s_1, V.
    assert all(line.split()[5] == line.split()[6] == "15.9" for line in lines[1:13])


def refused(tmp_path, *options, code=3, **arrays):
    np.savez(tmp_path / "bad.npz", **arrays)
    run = tomobasis("score", tmp_path / "bad.npz", *options)
    assert run.code == code and run.out == "" and len(run.err.splitlines()) == 1, run
    assert "bad.npz" not in run.err
    return run.err


def test_wrong_names_shapes_and_values_are_one_clear_error(folder, tmp_path):
    file = np.load(folder / "random.npz")
    s, v = file["s"], file["V"]
    nan = v.copy()
    nan[2, 6] = np.nan
    wrong = s.copy()
    wrong[3] = np.inf
    good = {"matrix": "random", "s": s}
    for arrays, said in [
        ({"s": s}, "give --matrix with one of random, ct,"),
        ({"matrix": "moler", "s": s}, 'there is no reference matrix "moler"; give one of random, ct,'),
        ({"matrix": 3.0, "s": s}, "matrix: it is no name"),
        ({"matrix": "random"}, "it has no array s"),
        ({**good, "Vh": v.T}, "Vh: there is no such array; s, V (n x k, the transpose of what NumPy returns)"),
        ({**good, "V": v[:, :3].T}, "V: its shape is 3 x 20, not 20 x 20"),
        ({**good, "s": s[:3], "V": v[:, :3].T}, "V: its shape is 3 x 20, not 20 x 3: a column for each singular value, "
                                                "the right singular vector; give its transpose"),
        ({**good, "U": v}, "U: its shape is 20 x 20, not 60 x 20"),
        ({**good, "V": nan}, "V: row 3, column 7 is NaN, no finite number"),
        ({**good, "s": wrong}, "s: number 4 is inf, no finite number"),
        ({**good, "s": -s}, "s: number 1 is -"),
        ({**good, "s": s[::-1]}, "s: number 2 is larger than the one before"),
        ({**good, "s": s[:, None]}, "s: its shape is 20 x 1; give 1 to 20 singular values"),
        ({**good, "s": s.astype(complex)}, "s: its type is <c16; give an array of float64 or float32"),
        ({**good, "A": file["A"].T}, "A: it is not the reference matrix random"),
    ]:  # fmt: skip
        assert said in refused(tmp_path, **arrays)
    assert "--matrix" in refused(tmp_path, "--matrix", "moler", code=2, s=s)
    (tmp_path / "text.npz").write_text("no zip")
    run = tomobasis("score", tmp_path / "text.npz")
    assert run.code == 3 and "it is no .npz file; write it with numpy.savez" in run.err
    run = tomobasis("score", tmp_path / "absent.npz")
    assert run.code == 3 and "cannot be read" in run.err
    os.mkfifo(tmp_path / "pipe")
    for special in [tmp_path / "pipe", tmp_path, "/dev/zero"]:
        run = tomobasis("score", special)
        assert run.code == 3 and "it is no regular file" in run.err


@pytest.mark.parametrize("name", ["a\nerror: b", "x" * 10_000], ids=["two lines", "long"])
def test_names_in_a_file_are_shown_on_one_line_and_not_at_any_length(folder, tmp_path, name):
    s = np.load(folder / "random.npz")["s"]
    for arrays in [{"matrix": "random", "s": s, name: s}, {"matrix": name, "s": s}]:
        message = refused(tmp_path, **arrays)
        assert len(message) < 400 and repr(name[:7])[1:-1] in message


def test_a_folder_that_exists_is_refused_and_one_of_ours_is_replaced_on_request(folder, tmp_path):
    run = tomobasis("reference", folder)
    assert run.code == 2 and run.err.splitlines()[-1] == (
        "error: OUTPUT: it exists already; name another folder or add --overwrite"
    )
    before = (folder / "manifest.json").read_bytes()
    assert tomobasis("reference", folder, "--overwrite").code == 0
    assert (folder / "manifest.json").read_bytes() == before
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "thesis.tex").write_text("mine")
    for manifest in [None, '{"format": "tomobasis result 1", "files": [{"path": "thesis.tex"}]}']:
        if manifest:
            (other / "manifest.json").write_text(manifest)
        run = tomobasis("reference", other, "--overwrite")
        assert run.code == 2 and (other / "thesis.tex").exists()
        assert "OUTPUT: it exists and is not a folder of reference matrices" in run.err
