"""`--input-format npy`: a matrix in a file is decomposed as a scan is, whatever its type, order of bytes and order of values, and what is
no matrix of numbers is refused in one line."""

import copy
import io
import json
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from flint import arb

from anatomy import Phantom
from ct_image import Storage
from make_ct_series import file_names, hu_slices, scan_of, write_series
from oracle import basis, centering, certificate, enclosure, ratios, result, rounding, scan
from results import write_sealed
from running import ROOT, tomobasis

FORMAT = ("--input-format", "npy")


def random(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.fixture
def decomposed(tmp_path):
    """Decomposes a matrix; the folder of the result."""

    def run(matrix, name="a", *options):
        np.save(tmp_path / f"{name}.npy", matrix)
        done = tomobasis(
            "decompose", *FORMAT, "--input", tmp_path / f"{name}.npy", "--output", tmp_path / name, *options
        )
        assert done.code == 0, done.err
        return tmp_path / name

    return run


def digests(folder):
    return json.loads((folder / "manifest.json").read_text())["digests"]


@pytest.mark.parametrize("kind", ["float32", "float64", "int32", "int16"])
def test_every_digit_of_s_and_v_is_proven_and_u_is_what_its_definition_says(decomposed, kind):
    a = (random(1, (5000, 7)) * (1 if kind.startswith("float") else 10000)).astype(kind)
    ours = result.read(decomposed(a))
    # Integers over 2^bits.
    bits = max(Fraction(x).denominator for x in a.ravel().tolist()).bit_length() - 1
    whole = np.array([[int(Fraction(x) * 2**bits) for x in row] for row in a.tolist()], dtype=object)
    enclosed = enclosure.enclose((whole.T @ whole).tolist(), a).scaled(-2 * bits)
    assert rounding.unproven_values(enclosed, ours.s) == [] and rounding.unproven_entries(enclosed, ours.v) == []
    assert ours.manifest["result"]["class"] == "certified" and ours.manifest["parameters"]["input_format"] == "npy"
    for i, j in [(0, 0), (4095, 3), (4096, 6), (4999, 2)]:
        assert ours.u[i, j] == basis.chained_entry(a[i].tolist(), ours.v[:, j], ours.s[j])
    assert ratios.orthogonality(ours.u) < ratios.ALARM
    assert ratios.reconstruction(a.astype(float), ours.u, ours.s, ours.v) < ratios.ALARM


def test_graded_and_nearly_dependent_columns_have_a_basis_that_is_orthonormal(decomposed):
    a = random(2, (300, 6)) * 2.0 ** (-9 * np.arange(6))
    a[:, 5] = a[:, 0] + random(14, 300) * 2.0**-30
    ours = result.read(decomposed(a))
    truth = certificate.Truth([[Fraction(x) for x in row] for row in a.tolist()], 0, 1500)
    words = np.zeros_like(ours.v)
    found = certificate.Result(6, 0.0, ours.s.tolist(), [False] * 6, [], ours.v, words)
    assert set(certificate.judged(truth, found)) <= {"energy", "which columns have a second word"}
    assert ours.manifest["result"]["compensated_columns"] >= 2
    assert ratios.orthogonality(ours.u) < ratios.ALARM


def test_the_result_depends_on_the_numbers_and_not_on_how_they_are_stored(decomposed):
    integers = np.random.default_rng(3).integers(-30000, 30000, (5000, 6))
    small = np.random.default_rng(4).integers(0, 120, (50, 5))
    unsigned = np.random.default_rng(5).integers(0, 65536, (50, 5))
    for name, a, kinds in [
        ("integers", integers, ["<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "<f4", ">f4", "<f8", ">f8"]),
        ("small", small, ["i1", "u1", "<u2", ">u2", "<u4", ">u8"]),
        ("unsigned", unsigned, ["<u2", ">u2", "<i4", "<f4"]),
        ("floats", random(6, (5000, 4)).astype("f4"), ["<f4", ">f4", "<f8", ">f8"]),
    ]:
        found = {}
        for number, kind in enumerate(kinds):
            stored = np.array(a, kind, order="CF"[number % 2])
            found[kind] = digests(decomposed(stored, f"{name}{number}", "--emit", "parquet"))["root"]
        assert len(set(found.values())) == 1, (name, found)


def test_a_scan_without_rescale_has_the_result_of_its_pixels(decomposed, tmp_path):
    series = scan_of(Phantom(), 6, 48, 80, Storage(intercept=0, signed=True, bits=16))
    write_series(tmp_path / "scan", series, hu_slices(Phantom(), 6, 48, 80), file_names(6, False))
    out = tmp_path / "of scan"
    done = tomobasis("decompose", "--input", tmp_path / "scan", "--output", out, "--padding", "keep")
    assert done.code == 0, done.err
    pixels = scan.read(tmp_path / "scan").stored
    assert digests(decomposed(pixels.reshape(6, -1).T))["root"] == digests(out)["root"]


def test_threads_change_no_bit_and_rows_in_another_order_keep_s_and_v(decomposed):
    a = random(7, (9000, 5)).astype("f4")
    one = digests(decomposed(a, "one", "--threads", "1"))
    assert digests(decomposed(a, "three", "--threads", "3")) == one
    moved = digests(decomposed(np.random.default_rng(8).permutation(a), "moved"))
    assert (moved["s"], moved["V"]) == (one["s"], one["V"]) and moved["root"] != one["root"]


def test_results_are_verified_compared_and_recomputed(decomposed, tmp_path):
    a = random(9, (5000, 6))
    folder = decomposed(a)
    verify = ("verify", folder, "--input")
    done = tomobasis(*verify, tmp_path / "a.npy")
    assert done.code == 0 and digests(folder)["root"] in done.out, done.err
    script = [sys.executable, ROOT / "docs/recompute_digests.py", folder, "--npy", tmp_path / "a.npy"]
    done = subprocess.run(script, capture_output=True, text=True)
    assert done.returncode == 0 and "DIFFERS" not in done.stdout, done.stdout + done.stderr
    for options in [("--join",), ("--series", "largest"), ("--on-bad-slice", "skip")]:
        done = tomobasis(*verify, tmp_path / "a.npy", *options)
        assert done.code == 2 and options[0] in done.err and "this is the result of a matrix" in done.err, done.err
    again = decomposed(a, "again")
    assert tomobasis("compare", folder, again).code == 0
    a[4999, 5] = np.nextafter(a[4999, 5], 9)
    other = decomposed(a, "other")
    assert tomobasis("compare", folder, other).code == 4
    assert tomobasis(*verify, tmp_path / "other.npy").code == 4
    done = tomobasis("render", folder, "--output", tmp_path / "pictures")
    assert done.code == 0, done.err
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["spectrum.png"]
    assert (folder / "pictures/spectrum.png").read_bytes() == (tmp_path / "pictures/spectrum.png").read_bytes()


def test_the_other_methods_take_matrices_too_without_a_limit_on_their_range(decomposed):
    a = random(10, (5000, 6)) * 10.0 ** (-100 * np.arange(6))
    ours = result.read(decomposed(a, "tsqr", "--method", "tsqr", "--rank", "1"))
    assert np.allclose(ours.s, np.linalg.norm(a[:, 0]), rtol=1e-12)
    a = random(11, (5000, 6)) + 100
    ours = result.read(decomposed(a, "centered", "--method", "tsqr", "--center"))
    expected = np.linalg.svd(a - a.mean(axis=1, keepdims=True), compute_uv=False)[:5]
    assert np.allclose(ours.s, expected, rtol=1e-12)
    ours = result.read(decomposed(a, "dssvd", "--method", "dssvd", "--rank", "3"))
    assert np.allclose(ours.s, np.linalg.svd(a, compute_uv=False)[:3], rtol=1e-10)
    # By the exact method, means are removed exactly.
    a = np.random.default_rng(12).integers(0, 9, (200, 4))
    ours = result.read(decomposed(a, "integers", "--center", "both"))
    b = a - a.mean(axis=1, keepdims=True) - a.mean(axis=0) + a.mean()
    assert np.allclose(ours.s, np.linalg.svd(b, compute_uv=False)[:3], rtol=1e-12)


@pytest.mark.parametrize("means", ["pixels", "slices", "both"])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_every_digit_of_floats_without_their_means_is_proven(decomposed, tmp_path, kind, means):
    a = (random(13, (5000, 6)) + 100).astype(kind)
    a[:, 5] = a[:, 0] + (random(14, 5000) * 2.0**-18).astype(kind)
    folder = decomposed(a, "a", "--center", means)
    ours = result.read(folder)
    bits = max(Fraction(x).denominator for x in a.ravel().tolist()).bit_length() - 1
    whole = np.array([[int(Fraction(x) * 2**bits) for x in row] for row in a.tolist()], dtype=object)
    sums = whole.sum(axis=0).tolist()
    gram, divisor = centering.centered_gram((whole.T @ whole).tolist(), sums, len(a), means)
    enclosed = enclosure.enclose(gram)
    values = [(value / divisor).sqrt() * arb(2) ** -bits for value in enclosed.values]
    rank = 6 - (means != "slices")
    assert len(ours.s) == rank == ours.manifest["result"]["numerical_rank"]
    assert all(rounding.is_rounded(float(s), ball) for s, ball in zip(ours.s, values, strict=False))
    assert rounding.unproven_entries(enclosed, ours.v) == []
    assert ratios.orthogonality(ours.u) < ratios.ALARM
    assert (ours.manifest["result"]["class"], ours.manifest["parameters"]["center"]) == ("certified", means)
    small = [s < ours.s[0] / 16384 for s in ours.s]
    assert sum(small) == ours.manifest["result"]["compensated_columns"] == 1
    for i, j in [(0, 0), (4095, 3), (4096, rank - 2), (4999, 2)]:
        entries, _ = centering.centered_row([Fraction(x) for x in a[i].tolist()], *sums_of(a), means)
        assert ours.u[i, j] == basis.chained_entry(entries, ours.v[:, j], ours.s[j])
    done = tomobasis("verify", folder, "--input", tmp_path / "a.npy")
    assert done.code == 0, done.err
    script = [sys.executable, ROOT / "docs/recompute_digests.py", folder, "--npy", tmp_path / "a.npy"]
    assert subprocess.run(script, capture_output=True).returncode == 0


def sums_of(a):
    """Exact sums of the columns, and the number of rows."""
    return [sum(map(Fraction, column)) for column in a.T.tolist()], len(a)


def test_a_matrix_of_floats_of_which_nothing_is_left_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.tile(random(15, (50, 1)), (1, 3)))
    for means in ("pixels", "both"):
        words = (*FORMAT, "--input", tmp_path / "a.npy", "--output", tmp_path / "out", "--center", means)
        done = tomobasis("decompose", *words)
        assert done.code == 3 and "nothing of the matrix is left without its means" in done.err, done.err
        assert len(done.errors) == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize("exponent", [-400, 399])
def test_energies_are_right_at_the_limits_of_magnitude(decomposed, exponent):
    ours = result.read(
        decomposed(np.diag([4, 3, 2, 1]) * 2.0 ** (exponent - 2 * (exponent > 0)), "a", "--energy", "0.9")
    )
    assert len(ours.s) == 3 and 0 < ours.manifest["result"]["energy"] < np.inf


def saved(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def with_value(value, row, column):
    a = np.ones((6000, 3))
    a[row, column] = value
    return a


def with_header(text):
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


GOOD = saved(np.eye(4))
REFUSED = {
    "nothing": (b"", "no .npy file"),
    "text": (b"1 2 3\n", "no .npy file"),
    "truncated header": (GOOD[:60], "no .npy file"),
    "type without order of bytes": (GOOD.replace(b"'<f8'", b"'f8' "), "header is not as numpy.save writes it"),
    "native order of bytes": (GOOD.replace(b"'<f8'", b"'=f8'"), "header is not as numpy.save writes it"),
    "long header": (with_header(b"{" + b"'descr': '<f8'," * 20), "its header is longer than"),
    "truncated": (GOOD[:-1], "truncated"),
    "without numbers": (GOOD[:128], "truncated"),
    "trailing bytes": (GOOD + b"x", "1 bytes behind"),
    "huge by its header": (GOOD.replace(b"(4, 4)", b"(4000000000000, 4)")[: len(GOOD)], "truncated"),
    "beyond all sizes": (GOOD.replace(b"(4, 4)", b"(4294967296, 4294967296)"), "truncated"),
    "objects": (saved(np.array([[None, 1]]), allow_pickle=True), "objects"),
    "complex": (saved(np.ones((2, 2), complex)), "complex"),
    "bool": (saved(np.ones((2, 2), bool)), "|b1"),
    "half": (saved(np.ones((2, 2), "f2")), "<f2"),
    "strings": (saved(np.array([["a"]])), "<U1"),
    "records": (saved(np.zeros((2, 2), [("x", "f8")])), "records"),
    "no columns": (saved(np.ones((5, 0))), "5 x 0"),
    "no rows": (saved(np.ones((0, 5))), "0 x 5"),
    "one dimension": (saved(np.ones(5)), "1 dimension;"),
    "three dimensions": (saved(np.ones((2, 2, 2))), "3 dimensions;"),
    "zeros": (saved(np.zeros((9, 2))), "every value of the matrix is zero"),
    "NaN": (saved(with_value(np.nan, 5000, 1)), "row 5001, column 2 is no finite number"),
    "infinity": (saved(with_value(-np.inf, 0, 2).astype("f4")), "row 1, column 3 is no finite number"),
    "a wide column": (saved(with_value(2.0**-200, 7, 1)), "column 2: its values span 201 binary digits"),
    "columns far apart": (saved(np.ones((9, 2)) * [1, 1e-80]), "column 2: its lowest digit is"),
    "squares that overflow": (saved(np.diag([4, 3, 2, 1]) * 1e200), "largest magnitude of the matrix is 4e200"),
    "squares that underflow": (saved(np.diag([4, 3, 2, 1]) * 1e-200), "largest magnitude of the matrix is 4e-200"),
    "the smallest number": (saved(np.full((2, 1), 5e-324)), "largest magnitude of the matrix is 5e-324"),
    "just too large": (saved(np.full((2, 1), 2.0**400)), "from 2^-400 to below 2^400"),
    "large integers": (saved(with_value(2**53, 8, 0).astype("i8") + 1), "row 9, column 1 is an integer"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_matrix_of_numbers_is_refused_in_one_line(tmp_path, name):
    content, said = REFUSED[name]
    (tmp_path / "a.npy").write_bytes(content)
    done = tomobasis("decompose", *FORMAT, "--input", tmp_path / "a.npy", "--output", tmp_path / "out")
    assert done.code == 3, (done.code, done.err)
    [error] = done.errors
    assert said in error and "a.npy" not in error, error
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_a_header_may_end_with_any_number_of_blanks(tmp_path):
    text = GOOD[10:128].rstrip()
    padded = with_header(text + b" " * 60_000 + b"\n") + GOOD[128:]
    (tmp_path / "a.npy").write_bytes(padded)
    assert (np.load(tmp_path / "a.npy", max_header_size=1 << 16) == np.eye(4)).all()
    done = tomobasis("decompose", *FORMAT, "--input", tmp_path / "a.npy", "--output", tmp_path / "out")
    assert done.code == 0, done.err


def test_an_input_without_a_regular_file_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ["empty", "pipe"]:
        done = tomobasis("decompose", *FORMAT, "--input", tmp_path / name, "--output", tmp_path / "out")
        assert done.code == 3 and "no regular file" in done.errors[0], done.err


def test_a_manifest_of_what_a_matrix_cannot_have_is_refused(decomposed, tmp_path):
    a = random(15, (20, 3))
    folder = decomposed(a)
    manifest = json.loads((folder / "manifest.json").read_text())
    for section, name, value, said in [
        ("parameters", "padding", "air", "parameters.padding has air"),
        ("parameters", "padding", "mask", "parameters.padding has mask"),
        (None, "emitted", ["parquet", "png", "dicom"], "emitted has dicom"),
        (None, "emitted", ["parquet", "png", "report"], "emitted has report"),
    ]:
        forged = copy.deepcopy(manifest)
        (forged[section] if section else forged)[name] = value
        write_sealed(folder, forged)
        done = tomobasis("verify", folder, "--input", tmp_path / "a.npy")
        assert done.code in (3, 4) and len(done.errors) == 1 and said in done.errors[0], (name, value, done.err)
    write_sealed(folder, manifest)
    assert tomobasis("verify", folder, "--input", tmp_path / "a.npy").code == 0


def test_options_and_inputs_that_a_matrix_cannot_have_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", random(13, (20, 3)))
    run = ("decompose", *FORMAT, "--input", tmp_path / "a.npy", "--output", tmp_path / "out")
    for options, code, said in [
        (("--series", "largest"), 2, "--series"),
        (("--emit", "dicom"), 2, "--emit"),
        (("--rank", "4"), 2, "4 is more than the 3 columns of the matrix"),
        (("--composite", "4"), 2, "4 is more than the 3 columns of the matrix"),
        (("--method", "dssvd", "--rank", "4"), 2, "--rank: 4 is more"),
        (("--input", tmp_path / "a.npy"), 3, "a matrix is one file, and there are 2"),
        (("--input-format", "npz"), 2, "--input-format"),
    ]:
        done = tomobasis(*run, *options)
        assert done.code == code and len(done.errors) == 1 and said in done.errors[0], (options, done.err)
    assert tomobasis("decompose", "--input", tmp_path / "a.npy", "--output", tmp_path / "out").code == 3
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]
