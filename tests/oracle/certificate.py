"""Is a certified result right? Rank, `s`, `V`, second words, equal values and all that lies exactly on a border, for any matrix of fractions.

Everything follows from the characteristic polynomial of the Gram matrix, factored over the integers (`spectrum`): equal eigenvalues are
multiple roots, whether two algebraic numbers are equal is told by their irreducible polynomials, and all that differs is told apart by
balls at enough bits. What `BITS` does not tell is a complaint, as is what is wrong.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_poly, fmpz_mat

from . import spectrum
from .rounding import QUANTUM, SMALL, is_rounded

BITS = (500, 1500, 5000)

# What the format defines (docs/numerics.md).
EQUAL = 256
COMPENSATE = 2.0**14
PASSED_OVER = arb(2) ** -40
SECOND = Fraction(1, 2**106)


@dataclass(frozen=True)
class Result:
    """As docs/format.md has it; `v` and `v_low` are n x k, `unresolved` counts from 0."""

    rank: int
    energy: float
    s: list
    compensated: list
    unresolved: list
    v: np.ndarray
    v_low: np.ndarray


class Undecided(Exception):
    """More bits are needed."""


def ball(x):
    return arb(fmpq(x.numerator, x.denominator))


def exactly(x):
    return fmpq(x.numerator, x.denominator)


def less(a, b):
    if bool(a < b):
        return True
    if bool(a >= b):
        return False
    raise Undecided


class Truth:
    """What the result of `a` (rows of fractions) is, at this many bits; `wanted` columns, 0 for all."""

    def __init__(self, a, wanted, bits):
        self.bits = bits
        columns = list(zip(*a, strict=True))
        self.n, self.size = len(columns), max(len(a), len(columns))
        gram = [[sum((x * y for x, y in zip(c, d, strict=True)), Fraction(0)) for d in columns] for c in columns]
        self.energy = sum(gram[i][i] for i in range(self.n))
        scale = math.lcm(*(x.denominator for row in gram for x in row))
        self.gram = [[int(x * scale) for x in row] for row in gram]
        twos = min((x & -x for row in self.gram for x in row if x), default=1)
        self.gram = [[x // twos for x in row] for row in self.gram]
        self.unit = Fraction(twos, scale)
        self.roots = spectrum.roots(self.gram, bits)
        self.values = [root for root in self.roots for _ in range(root[1])]
        for (x, *_), (y, *_) in zip(self.roots, self.roots[1:], strict=False):
            less(y, x)
        self.rank = self._rank()
        self.k = min(self.rank, wanted or self.n)

    def _rank(self):
        threshold = Fraction(self.size**2, 2**104)
        top, _, polynomial = self.values[0]
        # Of which threshold times s_1^2 is a root.
        moved = polynomial(fmpq_poly([0, exactly(1 / threshold)]))
        moved /= moved[moved.degree()]
        rank = 0
        for value, _, own in self.values:
            border = value - ball(threshold) * top
            tie = border.contains(0) and fmpq_poly(own) == moved
            rank += not tie and less(0, border)
        return rank

    def groups(self):
        """First and last index of the eigenvalues that count as equal, descending."""
        largest = max(abs(x) for row in self.gram for x in row)
        degenerate = arb(2) ** (largest.bit_length() - EQUAL)
        group = [0]
        for j in range(1, self.n):
            above, here = self.values[j - 1], self.values[j]
            if not (above is here or less(above[0] - here[0], degenerate)):
                yield group[0], group[-1]
                group = []
            group.append(j)
        yield group[0], group[-1]

    def is_singular_value(self, s, j):
        """Whether the float s is nearest to singular value j, ties to even."""
        value, _, polynomial = self.values[j]
        if polynomial.degree() > 1:
            return is_rounded(s, (value * ball(self.unit)).sqrt())
        square = Fraction(int(-polynomial[0]), int(polynomial[1])) * self.unit
        below, above = ((Fraction(s) + Fraction(float(np.nextafter(s, side)))) / 2 for side in (-math.inf, math.inf))
        even = int(np.float64(s).view(np.uint64)) % 2 == 0
        return below**2 < square < above**2 or (even and square in (below**2, above**2))

    def vectors(self, first, last):
        """Balls of the canonical basis of the space of these eigenvalues."""
        if first == last:
            index = next(i for i, root in enumerate(self.roots) if root is self.values[first])
            pairs = [(value, power) for value, power, _ in self.roots]
            return [spectrum.eigenvector(self.gram, pairs, index, self.bits)]
        own = {id(self.values[j]) for j in range(first, last + 1)}
        projector = sum((self.projector(root) for root in self.roots if id(root) in own), arb_mat(self.n, self.n))
        basis = []
        for i in range(self.n):
            rest = [projector[row, i] for row in range(self.n)]
            for b in basis:
                along = dot(rest, b)
                rest = [r - along * x for r, x in zip(rest, b, strict=True)]
            square = dot(rest, rest)
            if len(basis) <= last - first and less(PASSED_OVER, square):
                basis.append([r / square.sqrt() for r in rest])
        return basis

    def projector(self, root):
        """Onto the eigenvectors of one eigenvalue: Lagrange's polynomial of the matrix."""
        g, identity = arb_mat(self.gram), arb_mat(self.n, self.n, [i % (self.n + 1) == 0 for i in range(self.n**2)])
        result = identity
        for other in self.roots:
            if other is not root:
                result = result * ((g - identity * other[0]) / (root[0] - other[0]))
        return result

    def is_entry(self, i, j, x):
        """Whether entry i of the vector of the simple eigenvalue j is x or -x: P_ii = p_i(l) / p'(l), where p_i is the characteristic
        polynomial without row and column i."""
        minor = fmpz_mat([row[:i] + row[i + 1 :] for row in self.gram[:i] + self.gram[i + 1 :]])
        p_i = fmpq_poly(minor.charpoly()) if self.n > 1 else fmpq_poly([1])
        p = fmpq_poly(fmpz_mat(self.gram).charpoly())
        _, _, polynomial = self.values[j]
        return (p_i - p.derivative() * exactly(x**2)) % fmpq_poly(polynomial) == 0


def dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), arb(0))


def on_grid(x, small):
    """The float nearest to the fraction x, ties to even; a multiple of 2^-64 below 2^-11."""
    return round(x / small) * small if abs(x) < SMALL else Fraction(float(x))


def wrong_words(truth, result, j, vector, single):
    """Entries of column j whose first or second word is not proven."""
    pivot = int(np.argmax(np.abs(result.v[:, j])))
    sign = 1 if bool(vector[pivot] > 0) else -1
    wrong = [(pivot, j, "sign")] if result.v[pivot, j] <= 0 else []
    for i in range(truth.n):
        first, second, true = Fraction(result.v[i, j]), Fraction(result.v_low[i, j]), sign * vector[i]
        if not is_rounded(float(first), true, QUANTUM):
            # The border between this float and the next, on the side of the true value.
            step = Fraction(1, 2**64) if abs(first) < SMALL else Fraction(float(np.spacing(abs(float(first)))))
            borders = [first + side * step / 2 for side in (-1, 1)]
            tie = [b for b in borders if single and true.contains(ball(b)) and truth.is_entry(i, j, b)]
            if not tie or on_grid(tie[0], Fraction(1, 2**64)) != first:
                wrong.append((i, j, "first word"))
        if not result.compensated[j]:
            wrong += [(i, j, "second word")] if second != 0 else []
            continue
        rest = true - ball(first)
        border = [second + side * SECOND / 2 for side in (-1, 1)]
        if bool(ball(border[0]) < rest) and bool(rest < ball(border[1])) and (second / SECOND).denominator == 1:
            continue
        tie = [b for b in border if single and rest.contains(ball(b)) and truth.is_entry(i, j, b + first)]
        if not tie or round(tie[0] / SECOND) * SECOND != second:
            wrong.append((i, j, "second word"))
    return wrong


def complaints(a, wanted, result):
    """All that is not proven to be right about a result."""
    found = []
    for bits in BITS:
        try:
            found = judged(Truth(a, wanted, bits), result)
        except (Undecided, ZeroDivisionError) as e:
            found = [f"not decided at {bits} bits: {e!r}"]
        if not found:
            break
    return found


def judged(truth, result):
    if (result.rank, len(result.s)) != (truth.rank, truth.k):
        return [f"rank {result.rank}, {len(result.s)} columns; not {truth.rank}, {truth.k}"]
    wrong = [] if result.energy == float(truth.energy) else ["energy"]
    wrong += [f"s_{j}" for j, s in enumerate(result.s) if not truth.is_singular_value(s, j)]
    compensated = [result.s[0] > COMPENSATE * s for s in result.s]
    wrong += [] if result.compensated == compensated else ["which columns have a second word"]
    unresolved = []
    for first, last in truth.groups():
        if first >= truth.k:
            break
        if first != last:
            unresolved += range(first, min(last + 1, truth.k))
        vectors = truth.vectors(first, last)
        for j in range(first, min(last + 1, truth.k)):
            wrong += wrong_words(truth, result, j, vectors[j - first], first == last)
    return wrong + ([] if result.unresolved == unresolved else [f"unresolved: {result.unresolved}, not {unresolved}"])
