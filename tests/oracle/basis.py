"""The definition of `U` carried out by hand, one entry at a time: fused multiply-adds by exact rational arithmetic, and
for columns of small singular values the rounded true sum, from balls."""

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


def compensated_entry(pixels, vector, sigma):
    """The same for a column whose singular value is small: the float nearest to the true sum, then one division.

    `vector` is the true column of `V` as balls (n).
    """
    total = sum((int(a) * v for a, v in zip(pixels, vector, strict=True)), arb(0))
    numerator, exponent = total.mid().man_exp()
    return float(Fraction(int(numerator)) * Fraction(2) ** int(exponent)) / sigma
