"""Exact sums of floats that travel: ranges first, then the same digests however the rows are divided."""

import functools
import hashlib
import multiprocessing
import pickle
import struct
from fractions import Fraction

import numpy as np
import pytest

import tomobasis

RNG = np.random.default_rng(23)
N = 7
A = RNG.standard_normal((9001, N)) * 10.0 ** np.arange(-3, 4)
A[::50] = np.round(A[::50])
A[7], A[:, 3] = 0, np.abs(A[:, 3]).astype(np.float32)
PARTS = np.array_split(A, 7)


def ranges_of(*blocks):
    ranges = tomobasis.FloatRanges(N)
    for block in blocks:
        ranges.update(block)
    return ranges


def state_of(ranges, *blocks):
    state = tomobasis.FloatGramState(ranges)
    for block in blocks:
        state.update(block)
    return state


def bytes_of(ranges, block):
    return state_of(ranges, block).to_bytes()


def merged(states):
    return functools.reduce(lambda a, b: a + b, states)


@pytest.fixture(scope="module")
def whole():
    return tomobasis.svd(A)


def same(state, whole):
    factors = state.finish()
    assert state.rows == len(A)
    assert factors.digests == {name: whole.digests[name] for name in ("s", "V")}
    assert np.array_equal(np.concatenate([factors.project(part) for part in PARTS]), whole.U)
    assert factors.bounds == whole.bounds and factors.energy == whole.energy


def test_any_order_and_grouping_of_rows_gives_the_same_bytes(whole):
    ranges = ranges_of(A)
    assert ranges == ranges_of(*PARTS[::-1]) == merged(map(ranges_of, PARTS)) and ranges.rows == len(A)
    one = state_of(ranges, A)
    rows = state_of(ranges, *(row[None] for row in RNG.permutation(A)))
    left = merged(state_of(ranges, part) for part in PARTS)
    assert one == rows == left
    assert one.to_bytes() == rows.to_bytes() == left.to_bytes()
    for state in (one, left, pickle.loads(pickle.dumps(left))):
        same(state, whole)


def test_sums_that_were_sent_go_on_as_if_they_had_not_been():
    ranges = pickle.loads(pickle.dumps(ranges_of(A)))
    state = tomobasis.FloatGramState.from_bytes(bytes_of(ranges, PARTS[0]))
    for part in PARTS[1:]:
        state.update(part)
    assert state == state_of(ranges, A) and state.to_bytes() == state_of(ranges, A).to_bytes()


def test_blocks_of_any_type_are_mixed():
    blocks = [np.array([[1, 2]], "u1"), np.array([[0.1, -2.5]], ">f4"), np.array([[1e3, 1e-3]]), [[70000, 3]]]
    ranges = tomobasis.FloatRanges(2)
    for block in blocks:
        ranges.update(block)
    state = tomobasis.FloatGramState(ranges)
    for block in blocks:
        state.update(block)
    exact = np.concatenate([np.asarray(block).astype(float) for block in blocks])
    assert state.finish().digests["s"] == tomobasis.svd(exact).digests["s"]


@pytest.mark.parametrize("center", ["rows", "columns", "both"])
def test_means_are_removed_from_sums_that_traveled(center):
    whole = tomobasis.svd(A, center=center)
    ranges = ranges_of(*PARTS[::-1])
    state = merged(tomobasis.FloatGramState.from_bytes(bytes_of(ranges, part)) for part in PARTS[::-1])
    factors = pickle.loads(pickle.dumps(state.finish(center=center)))
    assert factors.digests == {name: whole.digests[name] for name in ("s", "V")}
    assert np.array_equal(np.concatenate([factors.project(part) for part in PARTS]), whole.U)
    exact = [sum(map(Fraction, column)) / len(A) for column in A.T.tolist()]
    assert state.column_means().tolist() == [float(mean) for mean in exact]
    with pytest.raises(tomobasis.InputError, match="names no means"):
        state.finish(center="all")


def test_a_state_goes_on_within_wider_ranges():
    first, rest = A[:100], A[100:] * 1e6
    ranges = ranges_of(first)
    state = state_of(ranges, first)
    wider = ranges + ranges_of(rest)
    one = state_of(wider, first, rest)
    assert state.within(wider) + state_of(wider, rest) == one
    assert (state.within(wider) + state_of(wider, rest)).to_bytes() == one.to_bytes()
    with pytest.raises(tomobasis.InputError, match="do not cover"):
        one.within(ranges)
    with pytest.raises(tomobasis.InputError, match="expected"):
        one.within(tomobasis.FloatRanges(3))


def test_sums_of_few_integers_need_no_primes():
    a = RNG.integers(-300, 300, (500, N)).astype(float) / 4
    state = state_of(ranges_of(a), a[:100], a[100:])
    assert state.finish().digests["s"] == tomobasis.svd(a).digests["s"]
    assert tomobasis.FloatGramState.from_bytes(state.to_bytes()) == state


def test_the_bytes_are_those_of_the_documentation():
    a = A[:40]
    ranges, state = ranges_of(a), state_of(ranges_of(a), a)
    data = state.to_bytes()
    first, rest = data[:-32], data[-32:]
    assert rest == hashlib.sha256(first).digest()
    assert first.startswith(b"tomobasis float gram state 2\nTBreal2\n")
    body = first[37:]
    n, seen = np.frombuffer(body, "<u8", 2)
    exponents = np.frombuffer(body, "<i4", 2 * N, 16).reshape(N, 2)
    (rows,) = np.frombuffer(body, "<u8", 1, 16 + 8 * N)
    assert (n, seen, rows) == (N, 40, 40)
    units = [Fraction(2) ** int(low) for low, _ in exponents]
    integers = [[int(Fraction(float(x)) / unit) for x, unit in zip(row, units, strict=True)] for row in a]
    for column, (low, high) in zip(zip(*integers, strict=True), exponents, strict=True):
        assert any(x % 2 for x in column) and max(map(abs, column)).bit_length() == high - low
    width = -(-(2 * int((exponents[:, 1] - exponents[:, 0]).max()) + int(seen).bit_length() + 1) // 8)
    sums = [sum(column) for column in zip(*integers, strict=True)]
    sums += [sum(row[i] * row[j] for row in integers) for i in range(N) for j in range(i, N)]
    assert body[24 + 8 * N :] == b"".join(x.to_bytes(width, "little", signed=True) for x in sums)
    of_ranges = b"tomobasis float ranges 1\nTBrange1" + body[: 16 + 8 * N]
    assert ranges.to_bytes() == of_ranges + hashlib.sha256(of_ranges).digest()


def test_the_sums_of_processes_are_those_of_one(whole):
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            ranges = merged(pool.map(ranges_of, PARTS))
            parts = pool.map(functools.partial(bytes_of, ranges), PARTS)
            state = merged(map(tomobasis.FloatGramState.from_bytes, parts))
            u = np.concatenate(pool.map(state.finish(rank=3).project, PARTS))
        same(state, whole)
        assert np.array_equal(u, whole.U[:, :3])


def test_dask_adds_up_blocks_by_a_tree(whole):
    import dask
    import dask.array as da

    def tree(parts):
        while len(parts) > 1:
            parts = [dask.delayed(merged)(parts[i : i + 2]) for i in range(0, len(parts), 2)]
        return parts[0]

    blocks = da.from_array(A, chunks=(1000, N)).to_delayed().ravel()
    for scheduler in ("threads", "processes"):
        ranges = tree([dask.delayed(ranges_of)(block) for block in blocks])
        states = [dask.delayed(state_of)(ranges, block) for block in blocks]
        same(tree(states).compute(scheduler=scheduler, num_workers=2), whole)


@pytest.mark.parametrize("kind", [tomobasis.FloatRanges, tomobasis.FloatGramState])
def test_bytes_that_are_damaged_are_refused(kind):
    good = (ranges_of(A) if kind is tomobasis.FloatRanges else state_of(ranges_of(A), A)).to_bytes()
    places = [0, 10, 26, 40, len(good) // 2, len(good) - 1]
    damaged = [good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in places]
    damaged += [good[:n] for n in (0, 5, 27, 60, len(good) - 1)] + [good + b"\0", b"", good[::-1]]
    for bad in damaged:
        with pytest.raises(tomobasis.InputError, match="not the bytes of") as caught:
            kind.from_bytes(bad)
        assert "\n" not in str(caught.value)


def test_what_is_refused_leaves_ranges_and_state_as_they_were():
    ranges = ranges_of(A)
    state = state_of(ranges, *PARTS[1:])
    before, seen = state.to_bytes(), ranges.to_bytes()
    bad = [np.zeros((5, N + 1)), np.full((9000, N), np.nan), A[0], A.astype(str), np.zeros((0, N))]
    for block in bad:
        for one in (ranges, state):
            with pytest.raises(tomobasis.InputError) as caught:
                one.update(block)
            assert "\n" not in str(caught.value)
    late = A[:5000].copy()
    late[4999, 2] = np.inf
    with pytest.raises(tomobasis.InputError, match="row 5000, column 3"):
        ranges.update(late)
    late[4999, 2] = 1e9
    with pytest.raises(tomobasis.InputError, match="outside the ranges"):
        state.update(late)
    with pytest.raises(tomobasis.InputError, match="other ranges"):
        state.merge(tomobasis.FloatGramState(ranges_of(A, A)))
    for one in (ranges, state):
        other = tomobasis.FloatRanges(3)
        with pytest.raises(tomobasis.InputError, match=f"expected {N} columns, got 3"):
            one.merge(other if one is ranges else tomobasis.FloatGramState(other))
    assert state.to_bytes() == before and ranges.to_bytes() == seen


@pytest.mark.parametrize("scale", [1e200, 2.0**400, 1e-200])
def test_sums_of_floats_have_the_limits_of_svd(scale):
    a = np.array([[1.0, 0.5], [0.25, 1.0]])
    with pytest.raises(tomobasis.InputError, match="largest magnitude of the matrix is"):
        sums_of(a * scale).finish()
    for largest in (2.0**399, 2.0**-400):
        assert sums_of(a * largest).finish().digests["s"] == tomobasis.svd(a * largest).digests["s"]


def sums_of(a):
    ranges = tomobasis.FloatRanges(a.shape[1])
    ranges.update(a)
    state = tomobasis.FloatGramState(ranges)
    state.update(a)
    return state


def test_sums_that_each_pair_of_columns_could_have_but_no_rows_are_refused_when_they_are_finished():
    # Products 1000 and -900 of three columns: eigenvalues 1900, 1900 and -800, in units of 2^-2.
    head = b"tomobasis float gram state 2\nTBreal2\n" + struct.pack("<2Q6iQ", 3, 400, *[-1, 10] * 3, 400)
    width = (2 * 11 + 9 + 1 + 7) // 8
    sums = [0, 0, 0, 1000, -900, -900, 1000, -900, 1000]
    content = head + b"".join(value.to_bytes(width, "little", signed=True) for value in sums)
    state = tomobasis.FloatGramState.from_bytes(content + hashlib.sha256(content).digest())
    for center in (None, "columns"):
        with pytest.raises(tomobasis.InputError, match="negative eigenvalue"):
            state.finish(center=center)


def test_states_that_no_range_fits_are_refused():
    for columns in (0, 16385):
        with pytest.raises(tomobasis.InputError, match="1 to 16384 columns"):
            tomobasis.FloatRanges(columns)
    wide = ranges_of(np.full((1, N), 1e300), np.full((1, N), 1e-300))
    with pytest.raises(tomobasis.InputError, match="tsqr"):
        tomobasis.FloatGramState(wide)
    state = state_of(ranges_of(PARTS[0]), PARTS[0], PARTS[0])
    with pytest.raises(tomobasis.InputError, match="more rows"):
        state.finish()
    with pytest.raises(tomobasis.InputError, match="rank 8 is outside"):
        state_of(ranges_of(A), A).finish(rank=8)
    with pytest.raises(tomobasis.InputError, match="FloatGramState"):
        tomobasis.GramState(N).update(A)
