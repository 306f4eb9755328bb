"""Certified SVDs of matrices of floats, through the crate: every digit of rank, `s`, `V` and second words proven from the factors of the
characteristic polynomial over exact fractions, and every entry of `U` by its definition, in exact fractions too."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest

from oracle import basis, certificate, ratios
from running import example


def certify(matrices):
    """Matrices of float64 or float32 -> (result, U) or the error as text, in the same order."""
    lines = "".join(
        f"{m} {n} {a.dtype} {' '.join(map(repr, a.ravel().tolist()))}\n" for a in matrices for m, n in [a.shape]
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


def basis_by_definition(a, result):
    """`U` as native/linalg/src/project/real.rs defines it."""
    u = np.zeros((a.shape[0], len(result.s)))
    # A power of two changes nothing but what overflows and underflows.
    scale = Fraction(2) ** -math.frexp(result.s[0])[1]
    for j, sigma in enumerate(result.s):
        words = [Fraction(x) + Fraction(y) for x, y in zip(result.v[:, j], result.v_low[:, j], strict=True)]
        for i, row in enumerate(a.tolist()):
            scaled = [Fraction(x) * scale for x in row]
            if result.compensated[j]:
                total = float(sum(x * w for x, w in zip(scaled, words, strict=True)))
            else:
                total = 0.0
                for x, w in zip(scaled, result.v[:, j].tolist(), strict=True):
                    total = basis.fma(x, w, total)
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
    exact = [[Fraction(x) for x in row] for row in a.tolist()]
    if a.any():
        complaints = certificate.complaints(exact, 0, result)
        # The sum of squares may be outside the range of floats.
        assert [c for c in complaints if not (c == "energy" and name in ("tiny", "below the normal range"))] == []
        assert (u == basis_by_definition(a, result)).all()
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
            found[name] = certificate.complaints([[Fraction(x) for x in row] for row in a.tolist()], 0, answer[0])
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
