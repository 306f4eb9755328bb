"""Eigenpairs of a symmetric integer matrix with proven error bounds, in ball arithmetic (Arb, through python-flint).

1. NumPy's float64 eigenvectors are a start of no standing.
2. They are refined at `BITS` bits by the iteration of Ogita and Aishima (2018, algorithm 1), on the balls' midpoints:
   quadratic convergence, no claim.
3. The claim, for the refined pairs (x, l), in balls, so every rounding is accounted for:
   - each interval l +- |G x - l x| / |x| holds an eigenvalue (Krylov-Bogoliubov), and if all n of them are disjoint,
     exactly one;
   - sin of the angle between x and the eigenvector is at most |G x - l x| / (|x| gap), where gap is the distance from l
     to the other intervals (Davis and Kahan 1970); unit vectors at angle t <= 90 degrees differ by
     2 sin(t/2) <= sqrt(2) sin t.
"""

from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat, ctx

BITS = 400
STEPS = 12


@dataclass(frozen=True)
class Enclosure:
    """Balls that hold the eigenvalues (n, descending) and unit eigenvectors: `vectors[j][i]` is entry i of number j."""

    values: list
    vectors: list

    def scaled(self, exponent):
        """The same of the matrix times 2^exponent."""
        return Enclosure([v * arb(2) ** exponent for v in self.values], self.vectors)


def midpoints(m):
    return arb_mat(m.nrows(), m.ncols(), [x.mid() for x in m.entries()])


def refine(g, x):
    """One step of Ogita and Aishima's iteration on all columns: (better X, eigenvalues, size of the correction)."""
    n = g.nrows()
    r = (-(x.transpose() * x)).tolist()
    for i in range(n):
        r[i][i] += 1
    s = (x.transpose() * (g * x)).tolist()
    values = [s[i][i] / (1 - r[i][i]) for i in range(n)]
    largest = arb(0)
    entries = []
    for i in range(n):
        for j in range(n):
            e = r[i][i] / 2 if i == j else (s[i][j] + values[j] * r[i][j]) / (values[j] - values[i])
            e = e.mid()
            largest = largest.max(abs(e))
            entries.append(e)
    return midpoints(x + x * arb_mat(n, n, entries)), [v.mid() for v in values], largest


def norm(entries):
    return sum((x * x for x in entries), arb(0)).sqrt()


def norm_above(entries):
    """An upper bound of the norm, for balls around zero too."""
    return norm([x.abs_upper() for x in entries]).abs_upper()


def enclose(gram, matrix=None):
    """Encloses all eigenpairs of `gram` (n x n integers); ArithmeticError if it cannot, as when two are equal.

    `matrix` is the one whose Gram matrix it is, up to a factor: LAPACK's SVD of it is a good start at any condition, which the
    eigenvectors of a Gram matrix in float64 are not beyond 1e6.
    """
    ctx.prec = BITS
    n = len(gram)
    g = arb_mat([[int(v) for v in row] for row in gram])
    if matrix is None:
        start = np.linalg.eigh(np.array(gram, dtype=np.float64))[1][:, ::-1]
    else:
        start = np.linalg.svd(np.array(matrix, dtype=np.float64), full_matrices=False)[2].T
    x = arb_mat(start.tolist())
    for _ in range(STEPS):
        x, values, correction = refine(g, x)
        if correction < arb(2) ** (-BITS // 2 - 20):
            break
    diagonal = arb_mat([[values[j] if i == j else 0 for j in range(n)] for i in range(n)])
    residual = (g * x - x * diagonal).transpose().tolist()
    columns = x.transpose().tolist()
    lengths = [norm(c) for c in columns]
    intervals = []
    for j in range(n):
        radius = (norm_above(residual[j]) / lengths[j]).abs_upper()
        intervals.append(values[j] + arb(0, radius))
    if not all(intervals[j] > intervals[j + 1] for j in range(n - 1)):
        raise ArithmeticError("the intervals of the eigenvalues overlap: equal ones, or the refinement diverged")
    vectors = []
    for j in range(n):
        gap = min(((values[j] - intervals[i]).abs_lower() for i in (j - 1, j + 1) if 0 <= i < n), default=arb(1))
        sine = norm_above(residual[j]) / (lengths[j] * gap)
        error = arb(0, (sine * arb(2).sqrt()).abs_upper())
        vectors.append([v / lengths[j] + error for v in columns[j]])
    return Enclosure(intervals, vectors)
