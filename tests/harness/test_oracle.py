"""The oracle itself: it proves what is right and notices one wrong bit."""

from fractions import Fraction

import numpy as np
import pytest
from flint import arb

from oracle import basis, enclosure, ratios, rounding


@pytest.fixture(scope="module")
def gram():
    a = np.random.default_rng(7).integers(-1024, 3072, (500, 20))
    return a.T @ a


@pytest.fixture(scope="module")
def enclosed(gram):
    return enclosure.enclose(gram)


def rounded(ball):
    """The grid's nearest to a ball's midpoint, found by exact arithmetic."""
    numerator, exponent = ball.mid().man_exp()
    exact = Fraction(int(numerator)) * Fraction(2) ** int(exponent)
    near = float(exact)
    return near if abs(near) >= rounding.SMALL else round(exact * 2**64) / 2**64


@pytest.fixture
def truth(enclosed):
    s = np.array([rounded(b.sqrt()) for b in enclosed.values])
    v = np.array([[rounded(b) for b in column] for column in enclosed.vectors]).T
    pivots = np.argmax(np.abs(v), axis=0)
    return s, v * np.sign(v[pivots, np.arange(v.shape[1])])


def test_the_balls_hold_what_numpy_finds_approximately(gram, enclosed):
    w = np.linalg.eigvalsh(gram.astype(float))[::-1]
    assert np.allclose([float(b.mid()) for b in enclosed.values], w, rtol=1e-10)


def test_the_balls_are_far_smaller_than_a_float_can_show(enclosed):
    assert max(float(b.rad()) for column in enclosed.vectors for b in column) < 1e-80


def test_correctly_rounded_values_are_proven(enclosed, truth):
    s, v = truth
    assert rounding.unproven_values(enclosed, s) == []
    assert rounding.unproven_entries(enclosed, v) == []


def test_one_wrong_bit_is_noticed(enclosed, truth):
    s, v = truth
    s[3] = np.nextafter(s[3], 0)
    v[5, 2] = np.nextafter(v[5, 2], 1)
    assert rounding.unproven_values(enclosed, s) == [3]
    assert rounding.unproven_entries(enclosed, v) == [(5, 2)]


def test_a_turned_sign_is_noticed(enclosed, truth):
    _, v = truth
    v[:, 4] *= -1
    assert {j for _, j in rounding.unproven_entries(enclosed, v)} == {4}


def test_small_entries_off_the_grid_of_multiples_are_not_accepted():
    tiny = 2.0**-20 + 2.0**-66
    assert not rounding.is_rounded(tiny, arb(tiny), rounding.QUANTUM)
    assert rounding.is_rounded(2.0**-20, arb(tiny) - arb(2.0**-67), rounding.QUANTUM)


def test_a_value_midway_between_two_floats_is_not_proven():
    assert not rounding.is_rounded(1.0, arb(1) + arb(2) ** -53)
    assert rounding.is_rounded(1.0, arb(1) + arb(2) ** -54)


def test_equal_eigenvalues_are_refused():
    with pytest.raises((ArithmeticError, ZeroDivisionError)):
        enclosure.enclose(np.diag([3, 3, 1]))


def test_fused_multiply_add_rounds_once():
    a, b = 1 + 2.0**-30, 1 - 2.0**-30
    assert basis.fma(a, b, -1.0) == -(2.0**-60)
    assert a * b - 1.0 == 0.0


def test_ratios_are_small_for_lapack_and_large_for_a_bent_basis():
    a = np.random.default_rng(3).normal(size=(300, 12))
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    assert ratios.orthogonality(u) < ratios.ALARM
    assert ratios.reconstruction(a, u, s, vt.T) < ratios.ALARM
    u[:, 0] += 1e-10
    assert ratios.orthogonality(u) > ratios.ALARM
