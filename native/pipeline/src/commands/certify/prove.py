#!/usr/bin/env python3
"""Proves every digit of `s` and `V` beside this file, by python-flint (`pip install python-flint`) and nothing of TomoBasis.

README.md has the statement and the proof, step by step. Prints what is proven and exits 0, or says what is not and exits 1.
"""

import os
import sys

# No module comes from beside this file: such a one could print what it likes.
sys.path[:] = [path for path in sys.path if os.path.realpath(path) != os.path.dirname(os.path.realpath(__file__))]

import hashlib
import json
import math
import struct
from fractions import Fraction
from functools import reduce
from pathlib import Path

from flint import arb, arb_mat, ctx, fmpq, fmpz, fmpz_mat

HERE = Path(__file__).resolve().parent
FILES = ("README.md", "V.txt", "gram.txt", "manifest.json", "prove.py", "result.json", "s.txt", "vectors.txt")


def need(holds, claim):
    if not holds:
        sys.exit(f"NOT PROVEN: {claim}")


def words(name):
    return [line.split(" ") for line in (HERE / name).read_bytes().decode("ascii").splitlines()]


def number(text, read, write):
    """A number that is written in the one way in which this program writes it."""
    x = read(text)
    need(write(x) == text, f"{text!r} is a number as these files have them")
    return x


def once(pairs):
    need(len(dict(pairs)) == len(pairs), "each key of result.json stands once in its object")
    return dict(pairs)


def broken(kind, error, _):
    print(
        f"NOT PROVEN: the files are not in the form that README.md describes ({kind.__name__}: {error})",
        file=sys.stderr,
    )


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def doubles(values):
    return struct.pack(f"<{len(values)}d", *values)


def eigenvalues_above(t):
    """How many eigenvalues of G exceed t, which is exact: by Sylvester's law of inertia as many as pivots of G - t I are positive."""
    # Elimination in balls loses one or two bits in each column.
    for bits in (2**i * (512 + 2 * n) for i in range(4)):
        ctx.prec = bits
        rest = [[arb(G[i, j]) - (t if i == j else 0) for j in range(i, n)] for i in range(n)]
        count = 0
        for i, (pivot, *row) in enumerate(rest):
            if not (pivot > 0 or pivot < 0):
                break
            count += pivot > 0
            for j, x in enumerate(row, i + 1):
                factor = x / pivot
                rest[j] = [y - factor * z for y, z in zip(rest[j], row[j - i - 1 :], strict=True)]
        else:
            return count
    return None


def is_nearest(x, true, grid):
    """Whether the ball lies between the midpoints of x and the numbers next to it: floats, below 2^-11 multiples of `grid`."""
    below, above = math.nextafter(x, -math.inf), math.nextafter(x, math.inf)
    if grid and abs(x) <= 2.0**-11:
        below, above = (x - grid if x > -(2.0**-11) else below), (x + grid if x < 2.0**-11 else above)
        need((x / grid).is_integer(), "small entries of V are multiples of 2^-64")
    return bool((arb(x) + arb(below)) / 2 < true) and bool(true < (arb(x) + arb(above)) / 2)


def canonical_basis(columns, error):
    """The canonical basis of the space of equal eigenvalues, from the projector onto `columns`, which is off by `error`."""
    x = arb_mat([[X[i][j] for j in columns] for i in range(n)]) * arb(2) ** -fraction_bits
    inverse = (x.transpose() * x).inv()
    basis = []
    for i in range(n):
        row = arb_mat([[x[i, j] for j in range(len(columns))]]).transpose()
        rest = [y + arb(0, error) for y in (x * (inverse * row)).entries()]
        for b in basis:
            along = sum(p * q for p, q in zip(rest, b, strict=True))
            rest = [p - along * q for p, q in zip(rest, b, strict=True)]
        square = sum(p * p for p in rest)
        if len(basis) < len(columns) and not square < arb(2) ** -40:
            need(square > arb(2) ** -40, "which unit vectors the canonical basis is made of")
            basis.append([p / square.sqrt() for p in rest])
    return basis


sys.excepthook = broken

# 1. The files are those that were written.
listed = "".join(f"{sha256((HERE / name).read_bytes())}  {name}\n" for name in FILES)
stored = (HERE / "SHA256SUMS").read_bytes().decode()
changed = [name for name, line in zip(FILES, listed.splitlines(), strict=True) if line not in stored.splitlines()]
need(listed == stored, f"SHA256SUMS lists these files with their digests; changed: {', '.join(changed) or 'the list'}")
manifest = json.loads((HERE / "result.json").read_text(), object_pairs_hook=once)
result, digests = manifest["result"], manifest["digests"]
s = [number(x, float.fromhex, float.hex) for (x,) in words("s.txt")]
V = [[number(x, float.fromhex, float.hex) for x in row] for row in words("V.txt")]
head, *lower = words("gram.txt")
need(head[::2] == ["columns", "rows", "exponent", "divisor"], "the first line of gram.txt")
n, m, exponent, divisor = (number(x, int, str) for x in head[1::2])
need([len(row) for row in lower] == list(range(1, n + 1)) and divisor > 0, "gram.txt holds a lower triangle")
lower = [[number(x, int, str) for x in row] for row in lower]
G = fmpz_mat([[lower[max(i, j)][min(i, j)] for j in range(n)] for i in range(n)])
head, *vectors = words("vectors.txt")
need(head[::2] == ["fraction_bits"], "the first line of vectors.txt")
fraction_bits, k, w = number(head[1], int, str), len(s), len(vectors)
columns_of_x = [[fmpz(number(x, lambda x: int(x, 16), "{:x}".format)) for x in column] for column in vectors]
X = [list(row) for row in zip(*columns_of_x, strict=True)]
sizes = [result["rows"], result["columns"], result["rank"]]
need(sizes == [m, n, k] and 0 < k <= w <= n, "the sizes of the files")
need(len(V) == n and all(len(row) == k for row in V) and len(X) == n, "the sizes of the files")
need((result["class"], result["method"]) == ("certified", "gram"), "the result is of class certified")

# 2. They are those of the result, whose root digest names it.
need(sha256(doubles(s)) == digests["s"], "s.txt holds the s of the result")
need(sha256(doubles([x for row in V for x in row])) == digests["V"], "V.txt holds the V of the result")
parameters = manifest["parameters"]
lines = [manifest["format"], "class certified", "method gram", f"rows {m}", f"columns {n}", f"rank {k}"]
lines += [f"center {parameters['center']}"] if "center" in parameters else []
lines += [f"padding {parameters['padding']}"] if manifest["series"].get("padding", {}).get("replaced") else []
lines += [f"pixels {digests['pixels']}", f"s {digests['s']}", f"V {digests['V']}", f"U {digests['U']['root']}", ""]
need(sha256("\n".join(lines).encode()) == digests["root"], "the root digest is that of s, V and what the result says")

# 3. Rayleigh quotients of the witness, and residuals: an eigenvalue lies in each interval (Krylov, Bogoliubov).
ctx.prec = 1024
unit = fmpq(1, divisor) * (fmpq(2) ** exponent)
product = (G * fmpz_mat(X)).tolist()
value, rho, low, high = [], [], [], []
for j, x in enumerate(columns_of_x):
    y = [row[j] for row in product]
    xx, xy, yy = sum(a * a for a in x), sum(a * b for a, b in zip(x, y, strict=True)), sum(b * b for b in y)
    need(xx > 0, f"witness {j} is a vector")
    value.append(arb(fmpq(xy, xx)))
    rho.append(arb(fmpq(yy * xx - xy * xy, xx * xx)).sqrt().abs_upper())
    low.append((value[j] - rho[j]).lower())
    high.append((value[j] + rho[j]).upper())
lengths = [arb(sum(a * a for a in x)).sqrt() for x in columns_of_x]

# 4. Which intervals are apart, and which eigenvalues count as equal.
equal = arb(2) ** (max(abs(int(x)) for x in G.entries()).bit_length() - 256)
groups, bottom, top = [], [], []
for j in range(w):
    if groups and not bottom[-1] - high[j] >= equal:
        groups[-1].append(j)
        bottom[-1], top[-1] = bottom[-1].min(low[j]), top[-1].max(high[j])
    else:
        groups.append([j])
        bottom.append(low[j])
        top.append(high[j])
away = [arb(0)] * len(groups)
for at, group in enumerate(groups):
    if len(group) == 1:
        continue
    # How far the vectors are from orthonormal ones, and so how far their eigenvalues can be outside of their intervals.
    columns = [columns_of_x[j] for j in group]
    inner = [sum(a * b for a, b in zip(x, y, strict=True)) for x in columns for y in columns]
    norms = [lengths[i] * lengths[j] for i in group for j in group]
    cosines = [c / norm - (i % (len(group) + 1) == 0) for i, (c, norm) in enumerate(zip(inner, norms, strict=True))]
    away[at] = sum(c.abs_upper() ** 2 for c in cosines).sqrt().upper()
    need(away[at] < 0.5, f"the vectors of eigenvalues {group[0]} to {group[-1]} are independent")
    middle, half = (top[at] + bottom[at]) / 2, (top[at] - bottom[at]) / 2
    half *= (len(group) / (1 - away[at])).sqrt()
    bottom[at], top[at] = (middle - half).lower(), (middle + half).upper()
for at in range(1, len(groups)):
    need(bottom[at - 1] - top[at] >= equal, f"eigenvalue {groups[at][0]} is below number {groups[at][0] - 1}")

# 5. Their number: none of the other eigenvalues is above `tail`, and each group has as many as vectors.
threshold = arb(fmpq(max(m, n) ** 2) * fmpq(2) ** -104) * bottom[0].union(top[0])
rank = n if w == n and bottom[-1] > threshold else eigenvalues_above(threshold.lower())
need(rank is not None and rank == result["numerical_rank"], "the numerical rank")
need((w == n and bottom[-1] > threshold) or eigenvalues_above(threshold.upper()) == rank, "the numerical rank")
tail = threshold.upper() if w == rank < n else None
if w < n and tail is None:
    shares = (arb(2) ** -g for g in (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256))
    tails = ((bottom[-1] - top[-1].abs_upper() * share).mid() for share in shares)
    tail = next((t for t in tails if eigenvalues_above(t) == w), None)
    need(tail is not None, f"no other eigenvalue is near number {w}")
need(w == n or bottom[-1] - tail >= equal, f"no other eigenvalue equals number {w}")
for at, group in enumerate(groups):
    if len(group) > 1:
        need(top[at] - bottom[at] < equal, f"eigenvalues {group[0]} to {group[-1]} are equal, or apart")
        above = 0 if at == 0 else eigenvalues_above(((bottom[at - 1] + top[at]) / 2).mid())
        last = at + 1 == len(groups)
        until = w if last else eigenvalues_above(((bottom[at] + top[at + 1]) / 2).mid())
        need((above, until) == (group[0], group[-1] + 1), f"how many eigenvalues equal number {group[0]}")
ctx.prec = 1024

# 6. Vectors, by the theorem of Davis and Kahan; every entry and every singular value rounds to the float in the file.
unresolved = []
for at, group in enumerate(groups):
    gaps = [bottom[at - 1] - top[at]] if at > 0 else []
    gaps += [bottom[at] - top[at + 1]] if at + 1 < len(groups) else [bottom[at] - tail] if w < n else []
    sine = [rho[j] / reduce(arb.min, gaps).lower() if gaps else arb(0) for j in group]
    if len(group) == 1:
        error = (arb(2).sqrt() * sine[0]).abs_upper()
        true = [[arb(a) / lengths[group[0]] + arb(0, error) for a in columns_of_x[group[0]]]]
    else:
        unresolved += [j for j in group if j < k]
        error = sum(x.abs_upper() ** 2 for x in sine).sqrt() / (1 - away[at]).sqrt()
        need(error < 0.5, f"the space of eigenvalues {group[0]} to {group[-1]}")
        true = canonical_basis(group, error.abs_upper())
    need(len(true) == len(group), f"a basis of the space of eigenvalues {group[0]} to {group[-1]}")
    of_result = [j for j in group if j < k]
    for j, vector in zip(of_result, true[: len(of_result)], strict=True):
        need(is_nearest(s[j], (bottom[at].union(top[at]) * unit).sqrt(), 0.0), f"s[{j}]")
        column = [row[j] for row in V]
        pivot = max(range(n), key=lambda i: (abs(column[i]), -i))
        sign = 1 if vector[pivot] > 0 else -1
        need(column[pivot] > 0, f"the sign of column {j} of V")
        for i, (x, ball) in enumerate(zip(column, vector, strict=True)):
            need(math.copysign(1, x) > 0 or x != 0, f"V[{i}, {j}] has no negative zero")
            need(is_nearest(x, sign * ball, 2.0**-64), f"V[{i}, {j}]")
need(unresolved == result["unresolved"], "which singular values are equal")

# 7. What else the manifest says of G.
energy = sum(int(G[i, i]) for i in range(n)) * Fraction(int(unit.p), int(unit.q))
need(float(energy) == result["energy"], "the energy")
print(f"proven  {k} singular values and {n * k} weights are the nearest to the true ones; the numerical rank is {rank}")
print(f"root    {digests['root']}")
