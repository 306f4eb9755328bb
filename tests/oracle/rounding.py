"""Are these floats the correctly rounded singular values and right singular vectors? Proven entry by entry.

A value is proven when the whole ball of the true value lies strictly between the two midpoints to the adjacent numbers on the
grid. The grid is float64's, except that entries of `V` below 2^-11 in magnitude are multiples of 2^-64.
"""

import numpy as np
from flint import arb

SMALL = 2.0**-11
QUANTUM = 2.0**-64


def adjacent(value, quantum=0.0):
    """The grid's values next below and above the float `value`; exact."""
    if quantum and abs(value) < SMALL:
        return value - quantum, value + quantum
    below, above = np.nextafter(value, -np.inf), np.nextafter(value, np.inf)
    # At exactly +-2^-11 the grid is float64's outward and the multiples inward.
    if quantum and abs(value) == SMALL:
        below, above = (value - quantum, above) if value > 0 else (below, value + quantum)
    return float(below), float(above)


def on_grid(value, quantum=0.0):
    return not quantum or abs(value) >= SMALL or (value / quantum).is_integer()


def is_rounded(value, ball, quantum=0.0):
    """Whether the float `value` is proven to be the grid's nearest to whatever `ball` encloses."""
    if not on_grid(value, quantum):
        return False
    below, above = adjacent(value, quantum)
    exact = arb(value)
    return bool((exact + arb(below)) / 2 < ball) and bool(ball < (exact + arb(above)) / 2)


def unproven_values(enclosure, s):
    """Indices j where `s[j]` is not proven to be the rounded square root of eigenvalue j."""
    return [j for j, value in enumerate(s) if not is_rounded(float(value), enclosure.values[j].sqrt())]


def unproven_entries(enclosure, v):
    """(row, column) of entries of `v` (n x k) that are not proven to be the rounded entries of the singular vectors."""
    bad = []
    for j in range(v.shape[1]):
        ball = enclosure.vectors[j]
        pivot = int(np.argmax(np.abs(v[:, j])))  # the first of the largest
        sign = 1 if bool(ball[pivot] > 0) else -1
        if v[pivot, j] <= 0:
            bad.append((pivot, j))
        bad += [(i, j) for i in range(v.shape[0]) if not is_rounded(float(v[i, j]), sign * ball[i], QUANTUM)]
    return bad
