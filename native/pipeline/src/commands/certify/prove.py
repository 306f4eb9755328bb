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
from functools import reduce
from pathlib import Path

from flint import arb, arb_mat, ctx, fmpq, fmpz_mat

FILES = ("README.md", "V.txt", "gram.txt", "manifest.json", "prove.py", "result.json", "s.txt", "vectors.txt")
FORM = "the files are not in the form that README.md describes"
sys.excepthook = lambda kind, error, _: print(f"NOT PROVEN: {FORM} ({kind.__name__}: {error})", file=sys.stderr)


def need(holds, claim):
    if not holds:
        sys.exit(f"NOT PROVEN: {claim}")


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def once(pairs):
    need(len(dict(pairs)) == len(pairs), "each key of result.json stands once in its object")
    return dict(pairs)


def number(text, read, write):
    """A number that is written in the one way in which this program writes it."""
    need(write(read(text)) == text, f"{text!r} is a number as these files have them")
    return read(text)


def table(name, head, read, write):
    """The numbers behind the words `head` in the first line of a file, if any, and those of the other lines."""
    lines = [line.split(" ") for line in content[name].decode("ascii").splitlines()]
    need(not head or lines[0][::2] == head, f"the first line of {name}")
    first = [number(x, int, str) for x in lines[0][1::2]] if head else []
    return first, [[number(x, read, write) for x in line] for line in lines[bool(head) :]]


# 1. The files are those that were written, and have the sizes that they say.
content = {name: (Path(__file__).resolve().parent / name).read_bytes() for name in (*FILES, "SHA256SUMS")}
listed = "".join(f"{sha256(content[name])}  {name}\n" for name in FILES)
need(listed == content["SHA256SUMS"].decode(), "SHA256SUMS lists these files with their digests (sha256sum -c)")
manifest = json.loads(content["result.json"], object_pairs_hook=once)
result, digests, parameters = manifest["result"], manifest["digests"], manifest["parameters"]
s = [x for (x,) in table("s.txt", [], float.fromhex, float.hex)[1]]
V = table("V.txt", [], float.fromhex, float.hex)[1]
(n, m, exponent, divisor), lower = table("gram.txt", ["columns", "rows", "exponent", "divisor"], int, str)
need([len(row) for row in lower] == list(range(1, n + 1)) and divisor > 0, "gram.txt holds a lower triangle")
(bits,), vectors = table("vectors.txt", ["fraction_bits"], lambda x: int(x, 16), "{:x}".format)
k, w = len(s), len(vectors)
sizes = [result["rows"], result["columns"], result["rank"], *map(len, V), *map(len, vectors)]
need(sizes == [m, n, k] + [k] * n + [n] * w and 0 < k <= w <= n, "the sizes of the files")
G = fmpz_mat([[lower[max(i, j)][min(i, j)] for j in range(n)] for i in range(n)])
X = fmpz_mat(vectors).transpose()

# 2. They are those of the result, whose root digest names it.
s_bytes, v_bytes = struct.pack(f"<{k}d", *s), struct.pack(f"<{n * k}d", *(x for row in V for x in row))
need((result["class"], result["method"]) == ("certified", "gram"), "the result is of class certified")
need(sha256(s_bytes) == digests["s"], "s.txt holds the s of the result")
need(sha256(v_bytes) == digests["V"], "V.txt holds the V of the result")
lines = [manifest["format"], "class certified", "method gram", f"rows {m}", f"columns {n}", f"rank {k}"]
lines += [f"center {parameters['center']}"] if "center" in parameters else []
lines += [f"padding {parameters['padding']}"] if manifest["series"].get("padding", {}).get("replaced") else []
lines += [f"pixels {digests['pixels']}", f"s {digests['s']}", f"V {digests['V']}", f"U {digests['U']['root']}", ""]
need(sha256("\n".join(lines).encode()) == digests["root"], "the root digest is that of s, V and what the result says")

# The proof.


def positive(rows):
    """How many eigenvalues of a symmetric matrix are positive: those of a block, and of what is left when it is eliminated."""
    if len(rows) == 1:
        if not (rows[0][0] > 0 or rows[0][0] < 0):
            raise ArithmeticError
        return int(rows[0][0] > 0)
    half = len(rows) // 2
    b, c = arb_mat([row[half:] for row in rows[:half]]), arb_mat([row[half:] for row in rows[half:]])
    block = [row[:half] for row in rows[:half]]
    return positive(block) + positive((c - b.transpose() * arb_mat(block).solve(b)).tolist())


def eigenvalues_above(t):
    """How many eigenvalues of G exceed t, which is exact; None where that is not decided."""
    for precision in (512 + 2 * n, 4096 + 16 * n):  # elimination loses one or two bits in each column
        with ctx.workprec(precision):
            try:
                return positive([[arb(G[i, j]) - (t if i == j else 0) for j in range(n)] for i in range(n)])
            except ArithmeticError:
                pass
    return None


def is_nearest(x, true, grid=0.0):
    """Whether the ball lies between the midpoints of x and the numbers next to it: floats, below 2^-11 multiples of `grid`."""
    below, above = math.nextafter(x, -math.inf), math.nextafter(x, math.inf)
    if grid and abs(x) <= 2.0**-11:
        below, above = (x - grid if x > -(2.0**-11) else below), (x + grid if x < 2.0**-11 else above)
        need((x / grid).is_integer(), "small entries of V are multiples of 2^-64")
    return bool((arb(x) + arb(below)) / 2 < true) and bool(true < (arb(x) + arb(above)) / 2)


def canonical_basis(group, error):
    """The canonical basis of the space of equal eigenvalues, from the projector onto their vectors, which is off by `error`."""
    x = arb_mat([[arb(X[i, j]) * arb(2) ** -bits for j in group] for i in range(n)])
    projector, basis = x * (x.transpose() * x).inv() * x.transpose(), []
    for i in range(n):
        rest = [projector[j, i] + arb(0, error) for j in range(n)]
        for b in basis:
            along = sum(p * q for p, q in zip(rest, b, strict=True))
            rest = [p - along * q for p, q in zip(rest, b, strict=True)]
        square = sum(p * p for p in rest)
        if len(basis) < len(group) and not square < arb(2) ** -40:
            need(square > arb(2) ** -40, "which unit vectors the canonical basis is made of")
            basis.append([p / square.sqrt() for p in rest])
    return basis


# 3. Rayleigh quotients of the witness, and residuals: an eigenvalue lies in each interval (Krylov, Bogoliubov).
ctx.prec = 1024
Y = G * X
xx, xy, yy = X.transpose() * X, X.transpose() * Y, Y.transpose() * Y
value = [arb(fmpq(xy[j, j], xx[j, j])) for j in range(w)]
rho = [arb(fmpq(yy[j, j] * xx[j, j] - xy[j, j] ** 2, xx[j, j] ** 2)).sqrt().abs_upper() for j in range(w)]
low, high = [(value[j] - rho[j]).lower() for j in range(w)], [(value[j] + rho[j]).upper() for j in range(w)]
length = [arb(xx[j, j]).sqrt() for j in range(w)]

# 4. Intervals that are not apart are of one group, which counts as equal; a group of g vectors has at least g eigenvalues in its own.
equal = arb(2) ** (max(abs(int(x)) for x in G.entries()).bit_length() - 256)
groups, bottom, top, away = [], [], [], []
for j in range(w):
    if groups and not reduce(arb.min, [low[i] for i in groups[-1]]) - high[j] >= equal:
        groups[-1].append(j)
    else:
        groups.append([j])
for group in groups:
    # How far the vectors are from orthonormal ones, and so how far their eigenvalues can be outside of their intervals.
    off = [arb(xx[i, j]) / (length[i] * length[j]) - (i == j) for i in group for j in group]
    away.append(sum(x.abs_upper() ** 2 for x in off).sqrt().upper())
    need(away[-1] < 0.5, f"the vectors of eigenvalues {group[0]} to {group[-1]} are independent")
    least, most = reduce(arb.min, [low[j] for j in group]), reduce(arb.max, [high[j] for j in group])
    half = (most - least) / 2 * (len(group) / (1 - away[-1])).sqrt()
    bottom.append(((most + least) / 2 - half).lower())
    top.append(((most + least) / 2 + half).upper())
    together = len(group) == 1 or top[-1] - bottom[-1] < equal
    need(together, f"eigenvalues {group[0]} to {group[-1]} are equal, or apart")
    ordered = len(top) == 1 or bottom[-2] - top[-1] >= equal
    need(ordered, f"eigenvalue {group[0]} is below number {group[0] - 1}")

# 5. Their number: none of the other eigenvalues is above `tail`, so each group has as many as vectors.
threshold = arb(fmpq(max(m, n) ** 2) * fmpq(2) ** -104) * bottom[0].union(top[0])
whole = w == n and bottom[-1] > threshold
rank = n if whole else eigenvalues_above(threshold.lower())
need(rank is not None and rank == result["numerical_rank"], "the numerical rank")
need(whole or eigenvalues_above(threshold.upper()) == rank, "the numerical rank")
if w < n:
    shares = (arb(2) ** -g for g in (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256))
    tails = [threshold.upper()] if w == rank else ((bottom[-1] - top[-1].abs_upper() * g).mid() for g in shares)
    tail = next((t for t in tails if w == rank or eigenvalues_above(t) == w), None)
    need(tail is not None, f"no other eigenvalue is near number {w}")
    need(bottom[-1] - tail >= equal, f"no other eigenvalue equals number {w}")

# 6. Vectors, by the theorem of Davis and Kahan; every entry and every singular value rounds to the float in the file.
unit = fmpq(1, divisor) * fmpq(2) ** exponent
for at, group in enumerate(groups):
    gaps = [bottom[at - 1] - top[at]] if at > 0 else []
    gaps += [bottom[at] - (top[at + 1] if at + 1 < len(groups) else tail)] if group[-1] + 1 < n else []
    sine = [rho[j] / reduce(arb.min, gaps).lower() if gaps else arb(0) for j in group]
    if len(group) == 1:
        error = (arb(2).sqrt() * sine[0]).abs_upper()
        true = [[arb(X[i, group[0]]) / length[group[0]] + arb(0, error) for i in range(n)]]
    else:
        error = (sum(x.abs_upper() ** 2 for x in sine).sqrt() / (1 - away[at]).sqrt()).abs_upper()
        need(error < 0.5, f"the space of eigenvalues {group[0]} to {group[-1]}")
        true = canonical_basis(group, error)
    need(len(true) == len(group), f"a basis of the space of eigenvalues {group[0]} to {group[-1]}")
    for j, vector in [(j, vector) for j, vector in zip(group, true, strict=True) if j < k]:
        need(is_nearest(s[j], (bottom[at].union(top[at]) * unit).sqrt()), f"s[{j}]")
        pivot = max(range(n), key=lambda i: (abs(V[i][j]), -i))
        need(V[pivot][j] > 0, f"the sign of column {j} of V")
        sign = 1 if vector[pivot] > 0 else -1
        for i, ball in enumerate(vector):
            need(V[i][j] != 0 or math.copysign(1, V[i][j]) > 0, f"V[{i}, {j}] has no negative zero")
            need(is_nearest(V[i][j], sign * ball, 2.0**-64), f"V[{i}, {j}]")
unresolved = [j for group in groups if len(group) > 1 for j in group if j < k]
need(unresolved == result["unresolved"], "which singular values are equal")

# 7. What else the manifest says of G.
need(int(sum(G[i, i] for i in range(n)) * unit.p) / int(unit.q) == result["energy"], "the energy")
print(f"proven  {k} singular values and {n * k} weights are the nearest to the true ones; the numerical rank is {rank}")
print(f"root    {digests['root']}")
