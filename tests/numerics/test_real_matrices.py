"""Certified SVDs of matrices of floats, through the crate: every digit of rank, `s`, `V` and second words proven from the factors of the
characteristic polynomial over exact fractions, and every entry of `U` by its definition, in exact fractions too."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest

from oracle import basis, certificate, ratios
from running import example


def certify(matrices, center="-"):
    """Matrices of float64 or float32 -> (result, U, bound) or the error as text, in the same order."""
    lines = "".join(
        f"{m} {n} {a.dtype} {center} {' '.join(map(repr, a.ravel().tolist()))}\n"
        for a in matrices
        for m, n in [a.shape]
    )
    answers = example("certify_real", input=lines, timeout=600).splitlines()
    return [parsed(answer, a.shape) for answer, a in zip(answers, matrices, strict=True)]


def parsed(answer, shape):
    if answer.startswith("error "):
        return answer
    head, *lists = answer.split("[")
    rank, energy, bound = head.split()
    s, compensated, unresolved, v, v_low, u = (json.loads("[" + part) for part in lists)
    v, v_low, u = (np.array(x).reshape(rows, len(s)) for x, rows in ((v, shape[1]), (v_low, shape[1]), (u, shape[0])))
    result = certificate.Result(int(rank), float(energy), s, [bool(c) for c in compensated], unresolved, v, v_low)
    return result, u, float(bound)


def fractions(a, center="-"):
    """The rows of the matrix, less its means, as they are."""
    a = [[Fraction(x) for x in row] for row in a.tolist()]
    m, n = len(a), len(a[0])
    of_rows = [sum(row) / n if center in ("rows", "both") else 0 for row in a]
    of_columns = [sum(column) / m if center in ("columns", "both") else 0 for column in zip(*a, strict=True)]
    of_all = sum(of_columns) / n if center == "both" else 0
    return [
        [x - r - c + of_all for x, c in zip(row, of_columns, strict=True)] for row, r in zip(a, of_rows, strict=True)
    ]


def basis_by_definition(rows, result):
    """`U` as docs/format.md defines it, of rows of fractions."""
    u = np.zeros((len(rows), len(result.s)))
    # A power of two changes nothing but what overflows and underflows.
    scale = Fraction(2) ** -math.frexp(result.s[0])[1]
    for j, sigma in enumerate(result.s):
        words = [Fraction(x) + Fraction(y) for x, y in zip(result.v[:, j], result.v_low[:, j], strict=True)]
        for i, row in enumerate(rows):
            scaled = [x * scale for x in row]
            if result.compensated[j]:
                total = float(sum(x * w for x, w in zip(scaled, words, strict=True)))
            else:
                total = 0.0
                for x, w in zip(scaled, result.v[:, j].tolist(), strict=True):
                    total = basis.fma(Fraction(float(x)), w, total)
            u[i, j] = total / float(Fraction(sigma) * scale)
    return u


def random(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape)


MATRICES = {
    "float64": random(1, (30, 8)),
    "float32": random(2, (30, 8)).astype(np.float32),
    "decimals": np.round(random(3, (20, 6)), 2),
    "wide": random(4, (5, 9)),
    "huge": random(5, (12, 5)) * 2.0**500,
    "tiny": random(6, (12, 5)) * 2.0**-900,
    "below the normal range": random(7, (12, 5)) * 2.0**-1010,
    "float32 below its normal range": (random(14, (12, 5)) * 2.0**-130).astype(np.float32),
    "graded by columns": random(8, (20, 6)) * 2.0 ** (-9 * np.arange(6)),
    "graded by rows": 2.0 ** (-9 * np.arange(8))[:, None] * random(9, (8, 6)),
    "nearly dependent": np.hstack([random(10, (15, 3))] * 2) + 1e-9 * random(11, (15, 6)),
    "dependent": random(12, (15, 3)) @ np.array([[1, 0, 0, 1, 2], [0, 1, 0, 1, 0], [0, 0, 1, 0, 4]]),
    "Hilbert": 1 / (np.arange(9)[:, None] + np.arange(9) + 1.0),
    "Kahan": 0.8 ** np.arange(9)[:, None] * (np.eye(9) - 0.6 * np.triu(np.ones((9, 9)), 1)),
    "Vandermonde": np.linspace(0.1, 1, 12)[:, None] ** np.arange(7),
    "a column of zeros and negative ones": np.hstack([random(13, (9, 3)), np.zeros((9, 1)), -np.ones((9, 1)) / 3]),
    "zeros": np.zeros((3, 2)),
    "one number": np.array([[-0.1]]),
}


@pytest.mark.parametrize("name", MATRICES)
def test_every_digit_of_a_matrix_of_floats_is_proven(name):
    a = MATRICES[name]
    [(result, u, bound)] = certify([a])
    exact = fractions(a)
    if a.any():
        complaints = certificate.complaints(exact, 0, result)
        # The sum of squares may be outside the range of floats.
        assert [c for c in complaints if not (c == "energy" and name in ("tiny", "below the normal range"))] == []
        assert (u == basis_by_definition(exact, result)).all()
        assert ratios.deviation(u) <= bound < 1e-10
    else:
        assert (result.rank, result.s) == (0, [])


def graded(seed):
    """Rows or columns of integers or of float32 numbers, scaled by powers of two: evenly spread ones, or a few."""
    r = np.random.default_rng(seed)
    shape = rows, columns = r.integers(2, 7, 2)
    a = r.integers(-9, 10, shape) if r.integers(2) else r.standard_normal(shape).astype(np.float32)
    if r.integers(3) == 0:
        # Dependent columns, tall ones as well: integers, so that they are exactly that.
        a = r.integers(-9, 10, (rows + 3, 3)) @ r.integers(-3, 4, (3, columns))
    by_rows, span = r.integers(2), r.choice([20, 60, 110, 130])
    exponents = -r.integers(0, span + 1, a.shape[1 - by_rows])
    if r.integers(2):
        exponents = np.round(exponents / (span / 2)) * (span / 2)
    scales = 2.0**exponents
    return a * (scales[:, None] if by_rows else scales)


def test_every_digit_of_graded_matrices_is_proven():
    small = np.array([[1.0, 2, 3, 5], [7, 1, 2, 3], [1, 1, 0, 2]])
    scales = [(-100, 0, -30), (-80, 20, -10), (-100, 0, -40), (-90, 0, -30), (-120, 0, -30), (-30, -100, 0)]
    matrices = {f"rows by 2^{e}": small * 2.0 ** np.array(e)[:, None] for e in scales}
    matrices |= {f"columns by 2^{e}": np.vstack([small.T * 2.0 ** np.array(e)] * 2) for e in scales}
    matrices |= {f"seed {seed}": graded(seed) for seed in range(600)}
    found = {}
    for (name, a), answer in zip(matrices.items(), certify(list(matrices.values())), strict=True):
        if isinstance(answer, str):
            # More binary digits than are promised.
            found[name] = [] if "binary digits, more than" in answer else [answer]
        elif a.any():
            found[name] = certificate.complaints(fractions(a), 0, answer[0])
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert len(found) > 590


def test_columns_of_too_many_bits_and_what_is_no_number_are_refused_by_place():
    wide = np.ones((4, 3))
    wide[2, 1] = 2.0**-161
    apart = np.ones((4, 3)) * [1, 2.0**-300, 1]
    nan, infinite = np.ones((4, 3)), np.ones((4, 3))
    nan[3, 2], infinite[1, 0] = math.nan, math.inf
    said = certify([wide, apart, nan, infinite])
    assert "column 2" in said[0] and "tsqr" in said[0], said
    assert "column 2" in said[1] and "tsqr" in said[1], said
    assert "row 4, column 3 is no finite number" in said[2], said
    assert "row 2, column 1 is no finite number" in said[3], said


# Of which less is left without means, or much less than there was.
CENTERED = {
    "equal columns": np.tile(random(15, (9, 1)), (1, 4)),
    "equal columns of float32": np.tile(random(16, (9, 1)).astype(np.float32), (1, 3)),
    "constant columns": np.tile([0.1, -1e20, 2.0**-80, -0.0], (5, 1)),
    "an additive table": np.arange(7.0)[:, None] / 8 + np.array([0.5, 2.0**-30, -3, 1e6]),
    "a large mean": 1e9 + random(17, (12, 5)),
    "a mean beyond all digits": 2.0**90 + np.arange(20.0).reshape(5, 4) * 2.0**38,
    "wide columns": random(18, (8, 3)) * 2.0 ** -np.arange(0, 96, 12.0)[:, None],
    "wide columns apart": random(19, (8, 3)) * 2.0 ** -np.arange(0, 80, 10.0)[:, None] * [1, 2.0**50, 2.0**-50],
    "zeros of either sign": np.array([[0.0, -0.0, 1.5], [-0.0, 0.0, 0.1], [-0.0, -0.0, -7]]),
    "subnormal beside normal": np.array([[5e-324, 1e-308], [1.5e-323, -3e-308], [-5e-324, 2e-307]]) * [1, 4],
    "one row": random(20, (1, 5)),
    "one column": random(21, (6, 1)),
    "float32 beyond pixels": np.rint(random(22, (30, 4)) * 50_000).astype(np.float32),
    "small integers": np.random.default_rng(23).integers(-9, 9, (9, 4)) / 4,
    "nearly equal columns": 1 / 3 + 2.0**-40 * random(24, (20, 4)),
    "small directions": random(25, (40, 2)) @ random(26, (2, 6)) + 1e-9 * random(27, (40, 6)),
} | {name: a for name, a in MATRICES.items() if name not in ("below the normal range", "tiny")}


@pytest.mark.parametrize("center", ["rows", "columns", "both"])
def test_every_digit_of_a_matrix_of_floats_without_its_means_is_proven(center):
    seen = set()
    for (name, a), answer in zip(CENTERED.items(), certify(list(CENTERED.values()), center), strict=True):
        if "below" in name or "subnormal" in name:
            assert isinstance(answer, tuple) or "outside the range of double precision" in answer, (name, answer)
            if isinstance(answer, str):
                continue
        assert not isinstance(answer, str), (name, answer)
        (result, u, bound), exact = answer, fractions(a, center)
        if not any(map(any, exact)):
            assert (result.rank, result.s, result.energy) == (0, [], 0), name
            continue
        assert [c for c in certificate.complaints(exact, 0, result) if c != "energy" or "below" not in name] == [], name
        assert (u == basis_by_definition(exact, result)).all(), name
        assert ratios.deviation(u) <= bound < 1e-10, name
        seen |= set(result.compensated)
    assert seen == {True, False}


@pytest.mark.parametrize("center", ["rows", "columns", "both"])
def test_every_digit_of_graded_matrices_without_their_means_is_proven(center):
    matrices, found = {seed: graded(1000 + seed) for seed in range(120)}, {}
    for (seed, a), answer in zip(matrices.items(), certify(list(matrices.values()), center), strict=True):
        exact = fractions(a, center)
        if isinstance(answer, str):
            found[seed] = [] if "binary digits, more than" in answer else [answer]
        elif any(map(any, exact)):
            is_defined = (answer[1] == basis_by_definition(exact, answer[0])).all()
            found[seed] = certificate.complaints(exact, 0, answer[0]) + ([] if is_defined else ["U"])
        else:
            found[seed] = ["rank"] * (answer[0].rank != 0)
    assert {seed: wrong for seed, wrong in found.items() if wrong} == {}
    assert len(found) == 120


@pytest.mark.parametrize("center", ["rows", "columns", "both"])
def test_integers_have_the_same_result_as_floats(center):
    """Of values that pixels have, the sums of floats and those of integers are the same numbers."""
    a = np.random.default_rng(28).integers(-2000, 2000, (50, 6))
    [(result, _, _)] = certify([a.astype(float)], center)
    [line] = example(
        "certify", input=f"50 6 0 {center} {'1:0 ' * 6}{' '.join(map(str, a.T.ravel().tolist()))}\n"
    ).splitlines()
    head, *lists = line.split("[")
    s, compensated, unresolved, v, v_low = (json.loads("[" + part) for part in lists)
    assert (str(result.rank), result.s, result.v.ravel().tolist()) == (head.split()[0], s, v)
    assert (result.unresolved, result.v_low.ravel().tolist()) == (unresolved, v_low)
    assert result.energy == float(head.split()[1]) and result.compensated == [bool(c) for c in compensated]
