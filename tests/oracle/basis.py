"""The definition of `U` carried out by hand, one entry at a time: fused multiply-adds by exact rational arithmetic, and
for columns of small singular values the rounded true sum, from balls."""

import math
from fractions import Fraction

from flint import arb


def fma(a, b, c):
    """a * b + c with one rounding, to nearest even: Python divides integers to the correctly rounded float."""
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def chained_entry(pixels, weights, sigma):
    """One entry of `U = A V / s`: a chain of fused multiply-adds over ascending columns, then one division.

    `pixels` is one row of `A` (n, HU), `weights` one column of `V` (n), `sigma` its singular value.
    """
    total = 0.0
    for a, v in zip(pixels, weights, strict=True):
        total = fma(float(a), float(v), total)
    return total / sigma


def fixed_point_entry(stored, slopes, intercepts, vector, sigma):
    """The same for any slopes: the sum in the fixed point that the format defines, rounded once, then one division.

    `stored` is one row of stored pixels (n), `vector` the true column of `V` as balls (n).
    """
    fraction = 93 - math.frexp(max(abs(s) for s in slopes))[1]
    weights = [Fraction(round(exact(ball) * 2**106), 2**106) for ball in vector]
    terms = [round(Fraction(s) * w * 2**fraction) for s, w in zip(slopes, weights, strict=True)]
    constant = round(sum(Fraction(b) * w for b, w in zip(intercepts, weights, strict=True)) * 2**fraction)
    total = sum(int(x) * p for x, p in zip(stored, terms, strict=True)) + constant
    return float(Fraction(total) / Fraction(2) ** fraction) / sigma


def exact(ball):
    """A ball's midpoint as a fraction."""
    mantissa, exponent = ball.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def compensated_entry(pixels, vector, sigma):
    """The same for a column whose singular value is small: the float nearest to the true sum, then one division.

    `vector` is the true column of `V` as balls (n).
    """
    total = sum((int(a) * v for a, v in zip(pixels, vector, strict=True)), arb(0))
    return float(exact(total)) / sigma
