"""Exact sums that travel: the same digests however the rows are divided, in NumPy, processes and Dask."""

import functools
import hashlib
import multiprocessing
import pickle
import struct
import threading

import numpy as np
import pytest

import tomobasis

RNG = np.random.default_rng(21)
A = RNG.integers(-1000, 3000, (9001, 17)).astype(np.int16)
PARTS = np.array_split(A, 7)


def state_of(block):
    state = tomobasis.GramState(17)
    state.update(block)
    return state


def bytes_of(block):
    return state_of(block).to_bytes()


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


def test_any_order_and_grouping_of_rows_gives_the_same_bytes(whole):
    one = state_of(A)
    rows = tomobasis.GramState(17)
    for row in RNG.permutation(A):
        rows.update(row[None])
    left = merged(map(state_of, PARTS))
    right = functools.reduce(lambda a, b: b + a, map(state_of, reversed(PARTS)))
    assert one == rows == left == right
    assert one.to_bytes() == rows.to_bytes() == left.to_bytes() == right.to_bytes()
    same(left, whole)
    assert one.gram().tolist() == (A.astype(object).T @ A.astype(object)).tolist()
    assert one.column_sums() == A.astype(object).sum(0).tolist()


def test_blocks_of_any_type_are_mixed():
    state = tomobasis.GramState(2)
    blocks = [np.array([[1, 2]], "u1"), np.array([[-3, 4]], ">i2"), np.array([[65535, 0]], "u2"), [[5.0, 6.0]]]
    for block in blocks:
        state.update(block)
    exact = np.concatenate([np.array(block, dtype=object) for block in blocks])
    assert state.gram().tolist() == (exact.T @ exact).tolist()
    factors = state.finish(center="both")
    assert factors.rank == 1
    values = exact.astype(float)
    centered = values - values.mean(1, keepdims=True) - values.mean(0) + values.mean()
    u = np.concatenate([factors.project(block) for block in blocks])
    assert np.allclose(u * factors.s @ factors.Vt, centered)


def test_the_sums_of_processes_are_those_of_one(whole):
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            parts = pool.map(bytes_of, PARTS)
        same(merged(map(tomobasis.GramState.from_bytes, parts)), whole)


def test_factors_work_in_processes(whole):
    factors = state_of(A).finish(rank=5)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        u = np.concatenate(pool.map(factors.project, PARTS))
    assert np.array_equal(u, whole.U[:, :5])


def test_dask_adds_up_blocks_by_a_tree(whole):
    import dask
    import dask.array as da

    blocks = da.from_array(A, chunks=(1000, 17))
    states = [dask.delayed(state_of)(block) for block in blocks.to_delayed().ravel()]
    while len(states) > 1:
        pairs = [states[i : i + 2] for i in range(0, len(states), 2)]
        states = [dask.delayed(merged)(pair) for pair in pairs]
    for scheduler in ("threads", "processes"):
        same(states[0].compute(scheduler=scheduler, num_workers=2), whole)
    factors = state_of(A).finish()
    u = blocks.map_blocks(factors.project, dtype=float, chunks=(blocks.chunks[0], (17,)))
    assert np.array_equal(u.compute(scheduler="threads"), whole.U)


def test_bytes_that_are_damaged_are_refused():
    good = bytes_of(A)
    assert pickle.loads(pickle.dumps(state_of(A))) == tomobasis.GramState.from_bytes(good)
    places = [0, 10, 23, 30, len(good) // 2, len(good) - 1]
    damaged = [good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in places]
    damaged += [good[:n] for n in (0, 5, 24, 40, len(good) - 1)] + [good + b"\0", b"", good[::-1]]
    for bad in damaged:
        with pytest.raises(tomobasis.InputError, match="not the bytes of a Gram state") as caught:
            tomobasis.GramState.from_bytes(bad)
        assert "\n" not in str(caught.value)


def sealed(content):
    return content + hashlib.sha256(content).digest()


def test_sums_that_no_rows_have_are_refused():
    content = bytearray(bytes_of(A)[:-32])
    assert tomobasis.GramState.from_bytes(sealed(bytes(content))) == state_of(A)
    first = 63 + 24 * 17  # The squares of the first column, then its product with the second.
    squares, product = (struct.unpack_from("<q", content, at)[0] for at in (first, first + 8))
    for at, value in [(first, -squares), (first, squares + 1), (first, 0), (first + 8, product + squares * 1000)]:
        forged = bytearray(content)
        struct.pack_into("<q", forged, at, value)
        with pytest.raises(tomobasis.InputError, match="not the bytes of a Gram"):
            tomobasis.GramState.from_bytes(sealed(bytes(forged)))


def test_the_bytes_are_those_of_the_documentation():
    a = np.array([[1, -2], [3, 4]])
    state = tomobasis.GramState(2)
    state.update(a)
    assert state.to_bytes() == forged(2, [4, 2], [(1, 3), (-2, 4)], [10, 10, 20])


def forged(rows, sums, ranges, products):
    """The bytes of a state with these sums, as docs/format.md has them."""
    n = len(sums)
    head = b"tomobasis gram state 1\nTBgram3\n" + struct.pack("<4Q", n, rows, 0, n * (n + 1) // 2)
    columns = b"".join(
        total.to_bytes(16, "little", signed=True) + struct.pack("<2i", *ends)
        for total, ends in zip(sums, ranges, strict=True)
    )
    return sealed(head + columns + struct.pack(f"<{len(products)}q", *products))


def test_sums_that_each_pair_of_columns_could_have_but_no_rows_are_refused_when_they_are_finished():
    # A^T A with the eigenvalues 1900, 1900 and -800, in bytes that look like any others.
    products = [1000, -900, -900, 1000, -900, 1000]
    state = tomobasis.GramState.from_bytes(forged(400, [0] * 3, [(-5, 5)] * 3, products))
    # The means of the rows are along the vector that has -800.
    for center in (None, "columns"):
        with pytest.raises(tomobasis.InputError, match=r"state's sums are those of no rows \(.*negative eigenvalue"):
            state.finish(center=center)
    # Two rows, and a rank of three.
    few = tomobasis.GramState.from_bytes(forged(2, [0, 0, 0], [(-1, 1)] * 3, [2, 0, 0, 2, 0, 2]))
    with pytest.raises(tomobasis.InputError, match="rank above its number of rows"):
        few.finish()


def test_least_and_greatest_entries_that_no_rows_have_are_refused():
    assert tomobasis.GramState.from_bytes(forged(2, [-2], [(-4, 2)], [20])).rows == 2
    for rows, total, ends, squares in [(1, 3, (-3, 3), 9), (2, 4, (-4, 2), 16), (3, -2, (-4, 2), 16)]:
        with pytest.raises(tomobasis.InputError, match="not the bytes of a Gram"):
            tomobasis.GramState.from_bytes(forged(rows, [total], [ends], [squares]))


def test_bytes_may_be_held_in_any_of_pythons_types():
    data = bytes_of(A)
    for held in (bytearray(data), memoryview(data)):
        assert tomobasis.GramState.from_bytes(held) == state_of(A)
    for wrong in (data.decode("latin-1"), None, 3):
        with pytest.raises(tomobasis.InputError, match="data is of the type"):
            tomobasis.GramState.from_bytes(wrong)


def test_sums_of_no_rows_have_no_factors():
    ranges = tomobasis.FloatRanges(3)
    ranges.update(np.array([[0.5, 1.0, 2.0]]))
    for state in (tomobasis.GramState(3), tomobasis.FloatGramState(ranges)):
        with pytest.raises(tomobasis.InputError, match="no rows"):
            state.finish()


def test_what_is_refused_leaves_the_state_as_it_was():
    state = state_of(A)
    before = state.to_bytes()
    bad = [np.zeros((5, 16), np.int16), np.full((9000, 17), 0.5), np.full((1, 17), np.nan), A[0], A.astype(str)]
    for block in bad:
        with pytest.raises(tomobasis.InputError):
            state.update(block)
    with pytest.raises(tomobasis.InputError, match="expected 17 columns, got 3"):
        state.merge(tomobasis.GramState(3))
    for other in (None, b"", tomobasis.FloatRanges(17)):
        with pytest.raises(tomobasis.InputError, match="merge takes a GramState"):
            state.merge(other)
    with pytest.raises(tomobasis.InputError, match="expected 17 columns, got 3"):
        state.finish(rank=2).project(A[:, :3])
    assert state.to_bytes() == before
    for columns in (0, 16385):
        with pytest.raises(tomobasis.InputError, match="1 to 16384 columns"):
            tomobasis.GramState(columns)


def test_a_state_may_be_merged_with_itself_and_used_by_threads():
    state = state_of(PARTS[0])
    state.merge(state)
    assert state == state_of(np.concatenate([PARTS[0], PARTS[0]]))
    total = tomobasis.GramState(17)
    threads = [threading.Thread(target=total.update, args=(part,)) for part in PARTS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total == state_of(A)
