"""Fused multiply-add by exact rational arithmetic: the definition of `U` carried out by hand, one entry at a time."""

from fractions import Fraction


def fma(a, b, c):
    """a * b + c with one rounding, to nearest even: Python divides integers to the correctly rounded float."""
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def basis_entry(pixels, weights, sigma):
    """One entry of `U = A V / s`: a chain of fused multiply-adds over ascending columns, then one division.

    `pixels` is one row of `A` (n, HU), `weights` one column of `V` (n), `sigma` its singular value.
    """
    total = 0.0
    for a, v in zip(pixels, weights, strict=True):
        total = fma(float(a), float(v), total)
    return total / sigma
