"""Matrices on which eigensolvers, error bounds and rounding tests fail: the classical ones, with integers of 16 bits, and random ones.

`families()` has the named ones; `random_case(seed)` makes one of any kind from its seed alone.
"""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

import numpy as np
from flint import fmpz


@dataclass(frozen=True)
class Case:
    """Stored integers (rows x columns), a slope and an intercept per column, means that are removed, columns wanted (0: all)."""

    name: str
    stored: np.ndarray
    slopes: list = field(default=None)
    intercepts: list = field(default=None)
    center: str = "-"
    wanted: int = 0

    def __str__(self):
        return self.name

    def line(self):
        """What `examples/certify.rs` reads."""
        rows, columns = self.stored.shape
        rescales = zip(self.slopes or [1.0] * columns, self.intercepts or [0.0] * columns, strict=True)
        words = [f"{slope!r}:{intercept!r}" for slope, intercept in rescales]
        values = map(str, self.stored.T.ravel().tolist())
        return " ".join([f"{rows} {columns} {self.wanted} {self.center}", *words, *values])

    def exact(self):
        """The matrix that is meant, rows of fractions: rescaled, and without the means that are removed."""
        rows, columns = self.stored.shape
        slopes = [Fraction(s) for s in self.slopes or [1] * columns]
        intercepts = [Fraction(b) for b in self.intercepts or [0] * columns]
        a = [[s * int(x) + b for s, x, b in zip(slopes, row, intercepts, strict=True)] for row in self.stored]
        if self.center in ("columns", "both"):
            means = [sum(row[j] for row in a) / rows for j in range(columns)]
            a = [[x - m for x, m in zip(row, means, strict=True)] for row in a]
        if self.center in ("rows", "both"):
            a = [[x - sum(row) / columns for x in row] for row in a]
        return a


def wilkinson(n):
    """W+: pairs of eigenvalues that agree to ever more digits as n grows."""
    return np.diag(np.abs(np.arange(n) - n // 2)) + np.eye(n, k=1, dtype=int) + np.eye(n, k=-1, dtype=int)


def glued(n, count, large):
    """Blocks of W+ that a 1 beside a large diagonal holds together."""
    m = np.kron(np.eye(count, dtype=int), wilkinson(n)) + np.diag(np.repeat(np.arange(count) * large, n))
    for i in range(n, n * count, n):
        m[i, i - 1] = m[i - 1, i] = 1
    return m


def direct_sum(*blocks):
    m = np.zeros(np.sum([b.shape for b in blocks], axis=0), dtype=int)
    i = j = 0
    for b in blocks:
        m[i : i + b.shape[0], j : j + b.shape[1]] = b
        i, j = i + b.shape[0], j + b.shape[1]
    return m


def kahan(n, angle):
    c, s = math.cos(angle), math.sin(angle)
    upper = np.eye(n) - np.triu(np.full((n, n), c), 1)
    return np.rint(32_000 * np.diag(s ** np.arange(n)) @ upper).astype(int)


def hilbert(n, scale):
    return np.array([[scale // (i + j + 1) for j in range(n)] for i in range(n)])


def hadamard(n, size=1):
    return size * np.array([[1 - 2 * ((i & j).bit_count() % 2) for j in range(n)] for i in range(n)])


def circulant(*row):
    return np.array([np.roll(row, i) for i in range(len(row))])


def lauchli(n, size, small=1):
    return np.vstack([np.full((1, n), size), small * np.eye(n, dtype=int)])


def cycle(n):
    """The incidence matrix of a cycle: eigenvalues 2 - 2 cos(2 pi j / n), all but one or two of them twice."""
    return np.eye(n, dtype=int) - np.roll(np.eye(n, dtype=int), 1, axis=0)


def close_pair(size):
    rows = [(size, size if i % 2 else -size) for i in range(64)]
    return np.array([*rows, (1, 1), (0, 1)])


def disturbed(m, *changes):
    m = m.copy()
    for i, j, by in changes:
        m[i, j] += by
    return m


GOLDEN = np.array([[2, 1], [1, 1]])
CUBIC = np.array([[1, 2, 0], [0, 3, 1], [1, 1, 4]])
RANDOM = np.random.default_rng(5)


def simple():
    yield from (Case(f"Wilkinson {n}", wilkinson(n)) for n in (3, 4, 9, 15, 21, 27))
    yield Case("Wilkinson glued, close", glued(7, 3, 0))
    yield Case("Wilkinson glued, apart", glued(5, 4, 100))
    yield Case("Wilkinson twice", direct_sum(wilkinson(9), wilkinson(9)))
    yield Case("Wilkinson twice, and a third that differs", direct_sum(wilkinson(5), wilkinson(5), wilkinson(6)))
    yield from (
        Case(f"Kahan {n}, {angle}", kahan(n, angle)) for n, angle in ((8, 1.2), (16, 1.2), (24, 1.0), (12, 0.5))
    )
    yield from (
        Case(f"Hilbert {n}, {scale}", hilbert(n, scale)) for n, scale in ((3, 60), (5, 2520), (8, 27_720), (12, 32_767))
    )
    yield from (Case(f"Hadamard {n}", hadamard(n, 3)) for n in (1, 2, 8, 16))
    yield Case("Hadamard, one entry changed", disturbed(hadamard(8, 16_000), (0, 0, 1)))
    yield Case("Hadamard, two entries changed", disturbed(hadamard(16, 32_766), (3, 5, 1), (9, 12, -1)))
    yield from (Case(f"Lauchli {n}, {size}", lauchli(n, size)) for n, size in ((4, 32_767), (9, 1000), (20, 7)))
    yield Case("Lauchli, other small ones", np.vstack([np.full((1, 6), 32_767), np.diag([1, 2, 2, 3, 3, 3])]))
    yield from (Case(f"a close pair of {size}", close_pair(size)) for size in (0, 1, 100, 10_000, 32_767))
    yield Case("nothing but zeros", np.zeros((3, 4), dtype=int))
    yield Case("one row", np.array([[3, -4, 0, 12]]))
    yield Case("one column", np.array([[3], [4]]))
    yield Case("one entry", np.array([[-32_768]]))
    yield Case("ones", np.ones((5, 9), dtype=int))
    yield Case("a permutation", np.eye(12, dtype=int)[np.random.default_rng(1).permutation(12)])


def multiple():
    """Exact multiplicities, with rational and irrational eigenvalues."""
    yield from (Case(f"cycle of {n}", cycle(n)) for n in (3, 4, 5, 8, 12, 15, 17))
    for row in (
        (3, 1, 4, 1, 5),
        (2, 7, 1, 8, 2, 8, 1),
        (1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0),
        (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
    ):
        yield Case(f"circulant {row}", circulant(*row))
    for m in (2, 3, 5):
        yield Case(f"golden ratio, {m} times", np.kron(np.eye(m, dtype=int), GOLDEN))
        yield Case(f"golden ratio mixed, {m} times", np.kron(hadamard(8)[:m, :m], GOLDEN))
        yield Case(f"golden ratio in full matrices, {m} times", np.kron(hadamard(8)[:, :m], GOLDEN))
    petersen = np.zeros((10, 10), dtype=int)
    for i in range(5):
        for j in ((i + 1) % 5, i + 5):
            petersen[i, j] = petersen[j, i] = 1
        petersen[i + 5, (i + 2) % 5 + 5] = petersen[(i + 2) % 5 + 5, i + 5] = 1
    yield Case("Petersen", petersen)
    yield Case("Petersen + 2", petersen + 2 * np.eye(10, dtype=int))
    block = RANDOM.integers(-50, 50, (5, 4))
    yield Case("a random block, twice, interleaved", np.kron(block, np.eye(2, dtype=int)))
    yield Case("a random block, twice, mixed", np.kron(block, np.array([[3, 4], [-4, 3]])))
    yield Case("a random block, three times, mixed", np.kron(block, np.array([[1, 2, 2], [2, 1, -2], [2, -2, 1]])))
    yield Case("columns twice", np.hstack([block, block, 2 * block[:, :2]]))


def scaled():
    """Slopes that no integers have: graded, clustered at every scale, rank thresholds, midpoints."""
    a = np.random.default_rng(6).integers(-1000, 1000, (12, 6))
    for step in (4, 10, 17, 25):
        yield Case(f"graded by 2^-{step}", a, [2.0 ** (-step * j) for j in range(6)])
    yield Case("graded from the small to the large", a, [2.0 ** (-12 * j) for j in reversed(range(6))])
    for bits in (10, 20, 30, 40, 52):
        slopes = [1.0 + j * 2.0**-bits for j in range(8)]
        yield Case(f"a cluster of width 2^-{bits}", hadamard(8), slopes)
        yield Case(f"a mixed cluster of width 2^-{bits}", disturbed(hadamard(8, 9), (0, 0, 1), (1, 2, -1)), slopes)
    for bits in (60, 100, 120):
        # Two blocks whose difference is far below the digits of either.
        tiny = direct_sum(hadamard(4), hadamard(4))
        tiny[0, 1] = tiny[4, 5] = 2
        yield Case(
            f"a column of size 2^-{bits} among others", np.hstack([tiny, tiny[:, :1] * 3 + 1]), [1.0] * 8 + [2.0**-bits]
        )
    yield Case("decimal slopes", a, [0.1 + 0.013 * j for j in range(6)], [-10.7 + j / 3 for j in range(6)])
    yield Case("slopes of pi", a[:, :3], [math.pi, math.e, math.sqrt(2)], [0.1, 0.2, 0.3])


def thresholds():
    """Singular values at, just above and just below max(m, n) 2^-52 times the largest."""
    for second in (3, 4, 5):
        stored = np.array([[4, 0], [0, second], [0, 0], [0, 0]])
        yield Case(f"{second}/4 of the threshold", stored, [1.0, 2.0**-50])
    for count, name in ((1, "above"), (-1, "below")):
        slope = 1 + count * 2.0**-50
        yield Case(f"irrational, {name} the threshold", direct_sum(GOLDEN, GOLDEN), [1.0] * 2 + [2.0**-50 * slope] * 2)
        yield Case(f"cubic, {name} the threshold", direct_sum(CUBIC, CUBIC), [1.0] * 3 + [6 * 2.0**-52 * slope] * 3)


def irrational_ties():
    """All singular values are irrational, and one of the second block's is the threshold times s_1."""
    yield Case("irrational, at the threshold", direct_sum(GOLDEN, GOLDEN), [1.0] * 2 + [2.0**-50] * 2)
    yield Case("cubic, at the threshold", direct_sum(CUBIC, CUBIC), [1.0] * 3 + [6 * 2.0**-52] * 3)
    twice = direct_sum(GOLDEN, GOLDEN, GOLDEN, GOLDEN)
    yield Case("irrational, twice at the threshold", twice, [1.0] * 4 + [2.0**-49] * 4)
    yield Case(
        "irrational, at the threshold, one wanted", direct_sum(GOLDEN, GOLDEN), [1.0] * 2 + [2.0**-50] * 2, wanted=1
    )


def midpoints():
    yield Case("s_1 between two floats", np.array([[6]]), [0.1])
    yield Case("s_1 between two floats, another below", np.array([[6, 0], [0, 6]]), [0.1, 0.07])
    yield Case("s_2 between two floats", np.array([[7, 0], [0, 6]]), [0.1, 0.1])
    yield Case("twice between two floats", np.array([[6, 0], [0, 6]]), [0.1, 0.1])
    yield Case("between two floats, mixed with others", direct_sum(np.array([[6]]), GOLDEN), [0.1, 1.0, 1.0])


def vector_midpoints():
    """Entries of V exactly between two floats: a row of integers whose squares sum to a power of four."""
    for first, bits in ((2**53 + 1, 54), (2**53 + 3, 54), (3, 65), (5, 65)):
        # Large ones are multiples of 2^13, for floats of 53 bits; the small ones are what these leave.
        rest = 4**bits - first**2
        large = four_squares((rest >> 26) - 1000, first)
        row = [first, *(x << 13 for x in large)]
        row += four_squares(4**bits - sum(x * x for x in row), first)
        slopes, stored = zip(*(product(x) for x in row), strict=True)
        yield Case(f"an entry of V is {first} / 2^{bits}", np.array([stored]), list(slopes))
        mixed = direct_sum(np.array([stored]), GOLDEN)
        yield Case(
            f"an entry of V is {first} / 2^{bits}, others are irrational", mixed, [*slopes, 3.0 * 2.0**40, 2.0**40]
        )


def product(x):
    """A float and an integer of 16 bits whose product is x."""
    return next((float(x // f), f) for f in range(1, 2**15) if x % f == 0 and x // f == int(float(x // f)) != 0)


def four_squares(total, seed):
    """Integers above zero whose squares sum to `total` (Rabin and Shallit 1986)."""
    random = Random(seed)
    side = math.isqrt(total // 3)
    while True:
        a, b = random.randrange(1, side), random.randrange(1, side)
        p = total - a * a - b * b
        if p % 4 == 1 and fmpz(p).is_prime():
            root = next(r for x in range(2, 100) if (r := pow(x, (p - 1) // 4, p)) * r % p == p - 1)
            c, d = p, root
            while d * d > p:
                c, d = d, c % d
            return [a, b, d, math.isqrt(p - d * d)]


def random_case(seed):
    """Few different values make equal singular values and dependent columns, many make none."""
    r = np.random.default_rng(seed)
    rows, columns = r.integers(1, 14, 2)
    stored = r.integers(-(size := r.choice([1, 2, 5, 100, 32_767])), size + 1, (rows, columns))
    match r.integers(6):
        case 0:
            stored = np.kron(stored[:4, :4], hadamard(4) if size < 100 else np.eye(4, dtype=int))
        case 1 if size < 1000:
            stored = np.hstack([stored, stored @ r.integers(-2, 3, (columns, 3))])
        case 2 if rows > 2:
            stored[0] = r.integers(-32_768, 32_768, columns)
        case 3:
            stored = circulant(*stored[0])
    columns = stored.shape[1]
    slopes = intercepts = None
    if r.integers(3) == 0:
        slopes = [float(x) for x in r.choice([1.0, 0.1, 3.7, 2.0**-20, 1 + 2.0**-40], columns)]
        intercepts = [float(x) for x in r.choice([0.0, -1024.0, 0.3], columns)]
    center = str(r.choice(["-", "-", "-", "rows", "columns", "both"]))
    return Case(
        f"seed {seed}", stored, slopes, intercepts, center, int(r.integers(columns)) if r.integers(4) == 0 else 0
    )


def families():
    kinds = (simple, multiple, scaled, thresholds, irrational_ties, midpoints, vector_midpoints)
    return [case for kind in kinds for case in kind()]
