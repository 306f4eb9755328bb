"""All eigenvalues of a symmetric integer matrix with their multiplicities, and eigenvectors of the simple ones, at any distance of
one eigenvalue from the next.

1. The characteristic polynomial over the integers is factored; roots of different factors differ, and how often a factor divides it
   is the multiplicity of its roots. Their balls are isolated by FLINT at `bits` bits.
2. An eigenvector is one step of inverse iteration at `bits` bits, of no standing; its residual and the distance to the other roots
   bound its error (Davis and Kahan 1970).
"""

from flint import arb, arb_mat, ctx, fmpz_mat

from .enclosure import norm, norm_above


def roots(gram, bits):
    """Ball, multiplicity and irreducible polynomial of each eigenvalue, descending; `gram` is n x n integers."""
    ctx.prec = bits
    _, factors = fmpz_mat([[int(v) for v in row] for row in gram]).charpoly().factor()
    found = [(root.real, power, factor) for factor, power in factors for root, _ in factor.complex_roots()]
    return sorted(found, key=lambda root: root[0].mid(), reverse=True)


def eigenvalues(gram, bits):
    """Pairs of ball and multiplicity, descending."""
    return [(ball, power) for ball, power, _ in roots(gram, bits)]


def repeated(pairs):
    """The eigenvalues of `eigenvalues`, each as often as it occurs."""
    return [root for root, multiplicity in pairs for _ in range(multiplicity)]


def eigenvector(gram, pairs, index, bits):
    """Balls that hold the unit eigenvector of the simple eigenvalue `pairs[index]`."""
    ctx.prec = bits
    n = len(gram)
    g = arb_mat([[int(v) for v in row] for row in gram])
    value = pairs[index][0].mid()
    shift = value + pairs[0][0].mid() * arb(2) ** (-bits // 2)
    shifted = arb_mat([[g[i, j] - (shift if i == j else 0) for j in range(n)] for i in range(n)])
    # Nothing regular: eigenvectors of structured matrices are orthogonal to what is.
    right = arb_mat(n, 1, [arb(pow(i + 2, 5, 10_007)) for i in range(n)])
    x = shifted.solve(right, algorithm="approx")
    x = arb_mat(n, 1, [entry.mid() for entry in x.entries()])
    length = norm(x.entries())
    residual = norm_above((g * x - value * x).entries()) / length
    others = (pairs[i][0] for i in (index - 1, index + 1) if 0 <= i < len(pairs))
    gap = min((abs(value - other).abs_lower() for other in others), default=arb(1))
    error = arb(0, (residual / gap * arb(2).sqrt()).abs_upper())
    return [entry / length + error for entry in x.entries()]
