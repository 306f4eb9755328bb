"""Integer matrices of any condition, close and equal singular values, slopes that are no integers: through the command, and proven
entry by entry in ball arithmetic."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from flint import arb, ctx

from matrix_series import close_pair, unimodular, write_matrix
from oracle import basis, enclosure, ratios, result, rounding, scan, spectrum
from running import decompose

CASES = Path(__file__).parents[3] / "shared" / "cases" / "matrices"


def decomposed(tmp_path, stored, **rescale):
    write_matrix(tmp_path / "scan", stored, **rescale)
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "result", "--emit", "parquet")
    assert run.code == 0, run.err
    return result.read(tmp_path / "result")


def assert_proven(ours, enclosed):
    assert rounding.unproven_values(enclosed, ours.s) == []
    assert rounding.unproven_entries(enclosed, ours.v) == []
    assert ours.manifest["result"]["unresolved"] == []


@pytest.mark.parametrize("condition", [1e1, 1e3, 1e5, 1e7, 1e10])
def test_every_entry_is_proven_at_any_condition(tmp_path, condition):
    a = unimodular(condition, 4 if condition < 1e2 else 12)
    ours = decomposed(tmp_path, a)
    assert len(ours.s) == a.shape[1]
    assert condition / 4 < ours.s[0] / ours.s[-1] < condition * 4
    assert_proven(ours, enclosure.enclose(a.T @ a, a))
    assert np.linalg.norm(np.eye(len(ours.s)) - ours.u.T @ ours.u) < 1e-12


@pytest.mark.parametrize(("size", "gap"), [(500, 1e-9), (16_000, 1e-12)])
def test_close_singular_values_and_their_vectors_are_proven(tmp_path, size, gap):
    a = close_pair(size)
    ours = decomposed(tmp_path, a)
    assert_proven(ours, enclosure.enclose(a.T @ a, a))
    assert gap / 2 < (ours.s[0] - ours.s[1]) / ours.s[0] < gap * 2


def test_equal_singular_values_are_named_and_the_others_proven(tmp_path):
    # Orthogonal columns of lengths 9, 7, 7 and 2, mixed up by none: the pair's basis is the canonical one.
    ours = decomposed(tmp_path, np.diag([7, 9, 2, 7]))
    assert list(ours.s) == [9, 7, 7, 2]
    assert ours.manifest["result"]["unresolved"] == [1, 2]
    assert (ours.v == np.eye(4)[:, [1, 0, 3, 2]]).all()


def test_repeated_and_constant_slices_lower_the_rank_and_no_more(tmp_path):
    a = np.random.default_rng(4).integers(-900, 900, (50, 4))
    columns = np.column_stack([a[:, 0], a[:, 1], a[:, 0], np.full(50, 7), np.zeros(50, int), a[:, 2]])
    ours = decomposed(tmp_path, columns)
    assert ours.manifest["result"]["numerical_rank"] == len(ours.s) == 4
    assert (ours.v[0] == ours.v[2]).all()
    assert (ours.v[4] == 0).all()
    padded = np.zeros((ours.u.shape[0], 6))
    padded[:50] = columns
    assert ratios.reconstruction(padded, ours.u, ours.s, ours.v) < ratios.ALARM


DECIMALS = {
    "one per slice, as PET has": ([f"{0.0137 + 0.00091 * j:.5f}" for j in range(8)], ["0"] * 8),
    "with intercepts, as MR has": ([f"{1.1 + 0.37 * j:.2f}" for j in range(8)], [f"{-10.7 + j / 3:.3f}" for j in range(8)]),
    "of very different size": ([f"{3 * 10.0 ** (-2 * j):.14f}"[:16] for j in range(6)] + ["1", "7"], ["0.1"] * 8),
}  # fmt: skip


@pytest.mark.parametrize("name", DECIMALS)
def test_slopes_that_are_no_integers_are_proven_over_exact_rationals(tmp_path, name):
    slopes, intercepts = DECIMALS[name]
    stored = np.random.default_rng(3).integers(0, 4096, (100, 8))
    ours = decomposed(tmp_path, stored, slopes=slopes, intercepts=intercepts)
    series = scan.read_stored(tmp_path / "scan")
    gram, exponent = series.exact_gram()
    enclosed = enclosure.enclose(gram, series.rescaled()).scaled(exponent)
    assert_proven(ours, enclosed)
    assert len(ours.s) == 8
    compensated = ours.s[0] > 2**14 * ours.s
    assert compensated.sum() == ours.manifest["result"]["compensated_columns"]
    for j, vector in enumerate(enclosed.vectors):
        pivot = np.argmax(np.abs(ours.v[:, j]))
        balls = [ball if bool(vector[pivot] > 0) else -ball for ball in vector]
        for i in range(0, 100, 9):
            row = series.stored[:, i]
            if compensated[j]:
                expected = basis.fixed_point_entry(row, series.slopes, series.intercepts, balls, ours.s[j])
            else:
                pixels = [
                    basis.fma(s, int(x), b) for s, x, b in zip(series.slopes, row, series.intercepts, strict=True)
                ]
                expected = basis.chained_entry(pixels, ours.v[:, j], ours.s[j])
            assert ours.u[i, j] == expected, (i, j)


def hard(name):
    """A matrix of ../shared/cases/matrices: stored pixels, slopes as the file has them."""
    path = CASES / f"{name}.json"
    if not path.exists():
        pytest.skip(f"no ../shared/cases/matrices/{name}.json beside the checkout")
    case = json.loads(path.read_text())
    stored, *rest = case[1:] if isinstance(case[0], str) else case
    slopes = [f"{s:.17g}" if isinstance(s, float) else s for s in rest[0]] if rest and rest[0] else None
    return np.array(stored), slopes


def wilkinson(n):
    """Wilkinson's W+: pairs of eigenvalues that agree to ever more digits as n grows."""
    diagonal = np.abs(np.arange(n) - n // 2)
    return np.diag(diagonal) + np.eye(n, k=1, dtype=int) + np.eye(n, k=-1, dtype=int)


def assert_every_digit(tmp_path, stored, slopes=None, bits=2000):
    """Rank, `s` and the vectors of all simple singular values, by factors of the characteristic polynomial."""
    options = {"slopes": slopes, "intercepts": ["0"] * stored.shape[1]} if slopes else {}
    ours = decomposed(tmp_path, stored, **options)
    series = scan.read_stored(tmp_path / "scan")
    gram, exponent = series.exact_gram()
    pairs = spectrum.eigenvalues(gram, bits)
    values = spectrum.repeated(pairs)
    threshold = max(series.stored.shape) ** 2 * values[0] / arb(2) ** 104
    rank = sum(bool(value > threshold) for value in values)
    assert sum(bool(value < threshold) for value in values) == len(values) - rank, "a tie with the threshold"
    assert ours.manifest["result"]["numerical_rank"] == rank == len(ours.s)
    scale = arb(2) ** exponent
    for j, value in enumerate(ours.s):
        assert rounding.is_rounded(float(value), (values[j] * scale).sqrt()), j
    first = np.cumsum([0] + [multiplicity for _, multiplicity in pairs])
    degenerate = {
        j for start, (_, count) in zip(first, pairs, strict=False) if count > 1 for j in range(start, start + count)
    }
    top = arb(2) ** max(int(v) for row in gram for v in row).bit_length()
    close = {
        j + side for j in range(rank - 1) for side in (0, 1) if bool(values[j] - values[j + 1] < top / arb(2) ** 256)
    }
    assert set(ours.manifest["result"]["unresolved"]) == {j for j in degenerate | close if j < rank}
    for index, (start, (_, count)) in enumerate(zip(first, pairs, strict=False)):
        if count == 1 and start < rank and start not in close:
            vector = spectrum.eigenvector(gram, pairs, index, bits)
            enclosed = enclosure.Enclosure([], [vector])
            assert rounding.unproven_entries(enclosed, ours.v[:, start : start + 1]) == [], start
    return ours


@pytest.mark.parametrize("name", ["int16a", "int16b", "slopes_2_110"])
def test_matrices_that_once_had_unproven_digits_have_proven_ones(tmp_path, name):
    stored, slopes = hard(name)
    assert_every_digit(tmp_path, stored, slopes)


@pytest.mark.parametrize("n", [21, 41, 61])
def test_wilkinsons_pairs_are_told_apart_down_to_gaps_of_two_to_the_minus_256(tmp_path, n):
    ours = assert_every_digit(tmp_path, wilkinson(n), bits=3000)
    assert ours.manifest["result"]["unresolved"] == []


@pytest.mark.parametrize(("name", "rank"), [("midpoint", 1), ("midpoint2", 2)])
def test_a_singular_value_between_two_floats_goes_to_the_even_one_and_blocks_no_other(tmp_path, name, rank):
    stored, slopes = hard(name)
    ours = decomposed(tmp_path, stored, slopes=slopes, intercepts=["0"] * len(slopes))
    # s_1 = 6 x 0.1, where 0.1 is the float: exactly between two floats. Python's division rounds ties to even.
    exact = 6 * Fraction(0.1)
    assert Fraction(ours.s[0]) != exact
    assert ours.s[0] == exact.numerator / exact.denominator
    if rank == 2:
        ctx.prec = 200
        assert rounding.is_rounded(ours.s[1], arb(2).sqrt() * arb(0.1))
        assert (np.abs(ours.v) == np.eye(2)).all()
    assert ours.manifest["result"]["unresolved"] == []
    assert ours.manifest["result"]["numerical_rank"] == rank


def test_a_singular_value_that_equals_the_rank_threshold_is_not_part_of_the_result(tmp_path):
    # Slopes 1 and 2^-50, four pixels: s = 1 and 2^-50 = max(m, n) 2^-52 s_1, exactly. A quarter more is above it.
    slopes = ["1", f"{2.0**-50:.17g}"]
    for second, rank in [(4, 1), (5, 2)]:
        stored = np.array([[4, 0], [0, second], [0, 0], [0, 0]])
        folder = tmp_path / str(second)
        ours = decomposed(folder, stored, slopes=slopes, intercepts=["0", "0"])
        assert ours.manifest["result"]["numerical_rank"] == rank
