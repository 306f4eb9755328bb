"""Decompositions of NumPy arrays: right values, the command's digests, every kind of memory, every kind of bad input."""

import contextlib
import hashlib
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import tomobasis
from oracle import basis, enclosure, ratios, rounding
from running import decompose

RNG = np.random.default_rng(20)
INTEGERS = RNG.integers(-2000, 3000, (5000, 12)).astype(np.int16)
FLOATS = RNG.standard_normal((5000, 7))


def exact_gram(a):
    rows = [[int(x) for x in row] for row in a]
    return [[sum(row[i] * row[j] for row in rows) for j in range(a.shape[1])] for i in range(a.shape[1])]


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(a, found, lines=""):
    """The root digest as docs/format.md defines it, from the arrays alone."""
    width = "<i4" if np.issubdtype(a.dtype, np.integer) else "<f8"
    pixels = sha256(*(sha256(np.ascontiguousarray(column).astype(width).tobytes()) for column in a.T))
    blocks = [sha256(found.U[i : i + 4096].astype("<f8").tobytes()) for i in range(0, len(a), 4096)]
    while len(blocks) > 1:
        pairs = [blocks[i : i + 2] for i in range(0, len(blocks), 2)]
        blocks = [sha256(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    s, v = sha256(found.s.tobytes()), sha256(np.ascontiguousarray(found.Vt.T).tobytes())
    text = (
        f"tomobasis result 1\nclass {found.reproducibility}\nmethod {found.method}\nrows {len(a)}\n"
        f"columns {a.shape[1]}\nrank {len(found.s)}\n{lines}pixels {pixels.hex()}\ns {s.hex()}\nV {v.hex()}\n"
        f"U {blocks[0].hex()}\n"
    )
    return sha256(text.encode()).hex()


def test_singular_values_and_vectors_of_integers_are_correctly_rounded():
    found = tomobasis.svd(INTEGERS)
    truth = enclosure.enclose(exact_gram(INTEGERS))
    assert rounding.unproven_values(truth, found.s) == []
    assert rounding.unproven_entries(truth, found.Vt.T) == []
    assert found.reproducibility == "certified" and found.rank == 12 and found.unresolved == ()
    assert found.energy == float((INTEGERS.astype(np.int64) ** 2).sum())
    for row, column in [(0, 0), (4095, 3), (4999, 11)]:
        entry = basis.chained_entry(INTEGERS[row], found.Vt[column], found.s[column])
        assert found.U[row, column] == entry


def test_singular_values_and_vectors_of_floats_are_correctly_rounded():
    a = FLOATS[:300, :5]
    integers = [[int(x * 2.0**70) for x in row] for row in a]
    assert all(
        int(x) / 2.0**70 == y for row, floats in zip(integers, a, strict=True) for x, y in zip(row, floats, strict=True)
    )
    found = tomobasis.svd(a)
    truth = enclosure.enclose(exact_gram(np.array(integers, dtype=object)))
    assert rounding.unproven_values(truth, found.s * 2.0**70) == []
    assert rounding.unproven_entries(truth, found.Vt.T) == []


@pytest.mark.parametrize("a", [INTEGERS, FLOATS, FLOATS.astype(np.float32)], ids=["int16", "float64", "float32"])
@pytest.mark.parametrize("method", ["svd", "tsqr", "randomized"])
def test_the_factors_multiply_to_the_matrix_and_the_digest_is_the_documented_one(a, method):
    run = {
        "svd": tomobasis.svd,
        "tsqr": tomobasis.tsqr,
        "randomized": lambda a: tomobasis.randomized_svd(a, a.shape[1], seed=3),
    }[method]
    lines = {
        "svd": "",
        "tsqr": "center false\n",
        "randomized": "oversample 15\npower_iterations 2\nseed 3\nsketch signs\n",
    }[method]
    found = run(a)
    U, s, Vt = found
    exact = a.astype(float)
    assert ratios.orthogonality(U) < ratios.ALARM and ratios.orthogonality(Vt.T) < ratios.ALARM
    assert ratios.reconstruction(exact, U, s, Vt.T) < ratios.ALARM
    assert np.allclose(s, np.linalg.svd(exact, compute_uv=False), rtol=1e-12)
    assert found.digest == root_of(a, found, lines)


@pytest.mark.parametrize("method", [("gram", tomobasis.svd), ("tsqr", tomobasis.tsqr)], ids=lambda m: m[0])
@pytest.mark.parametrize("a", [INTEGERS[:, :5], FLOATS[:, :4], INTEGERS[:, :3] + 0.0], ids=["int", "float", "whole"])
def test_the_digest_is_that_of_the_command(a, method, tmp_path):
    np.save(tmp_path / "a.npy", a)
    run = decompose(
        *("--input-format", "npy", "--input", tmp_path / "a.npy", "--output", tmp_path / "r", "--method", method[0])
    )
    assert run.code == 0, run.err
    found = tomobasis.Result(tmp_path / "r")
    ours = method[1](a)
    assert found.digest == ours.digest and found.digests["s"] == ours.digests["s"]
    assert np.array_equal(found.U, ours.U) and np.array_equal(found.V.T, ours.Vt) and np.array_equal(found.s, ours.s)


@pytest.mark.parametrize("a", [INTEGERS, FLOATS, FLOATS[:3]], ids=["integers", "floats", "wide"])
def test_qr_is_that_of_numpy_but_for_signs(a):
    Q, R = found = tomobasis.qr(a, threads=1)
    theirs = np.linalg.qr(a.astype(float))
    signs = np.where(np.diag(theirs.R) < 0, -1, 1)
    assert np.allclose(R, signs[:, None] * theirs.R, atol=1e-9) and np.allclose(Q, theirs.Q * signs, atol=1e-12)
    assert ratios.orthogonality(Q) < ratios.ALARM and (np.tril(R, -1) == 0).all() and (np.diag(R) >= 0).all()
    for one in (tomobasis.qr(a, threads=3), tomobasis.qr(np.asfortranarray(a))):
        assert np.array_equal(one.Q, found.Q) and np.array_equal(one.R, found.R)


def layouts(a):
    wide = np.empty((a.shape[0] * 2, a.shape[1] * 3), a.dtype)
    wide[::2, ::3] = a
    packed = np.zeros(a.shape, np.dtype([("pad", "u1"), ("v", a.dtype)]))
    packed["v"] = a
    frozen = a.copy()
    frozen.flags.writeable = False
    yield "Fortran", np.asfortranarray(a)
    yield "strided", wide[::2, ::3]
    yield "reversed", np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1]
    yield "other order of bytes", a.astype(a.dtype.newbyteorder())
    yield "unaligned", packed["v"]
    yield "read-only", frozen
    yield "list", a.tolist()
    yield "transposed", np.ascontiguousarray(a.T).T


@pytest.mark.parametrize("a", [INTEGERS, FLOATS], ids=["integers", "floats"])
def test_layout_order_of_bytes_and_threads_change_no_bit(a):
    expected = tomobasis.svd(a).digest
    assert tomobasis.svd(a, threads=1).digest == tomobasis.svd(a, threads=5).digest == expected
    for name, other in layouts(a):
        assert tomobasis.svd(other).digest == expected, name


def test_the_type_that_holds_the_numbers_changes_no_bit():
    small = RNG.integers(0, 120, (300, 5))
    expected = tomobasis.svd(small.astype(np.int16)).digest
    for kind in "i1 u1 u2 i4 u4 i8 u8 f2 f4 f8 >i4 >f8".split():
        assert tomobasis.svd(small.astype(kind)).digest == expected, kind
    large = small + 65400
    expected = tomobasis.svd(large.astype(np.uint16)).digest
    for kind in "i4 u4 i8 f4 f8".split():
        assert tomobasis.svd(large.astype(kind)).digest == expected, kind
    truth = enclosure.enclose(exact_gram(large))
    assert rounding.unproven_values(truth, tomobasis.svd(large).s) == []
    flags = small > 60
    assert tomobasis.svd(flags).digest == tomobasis.svd(flags.astype(np.int16)).digest
    wide = small * 70000
    assert tomobasis.svd(wide.astype(np.int64)).digest == tomobasis.svd(wide.astype(float)).digest


def test_a_memory_mapped_file_is_read_where_it_is(tmp_path):
    np.save(tmp_path / "a.npy", INTEGERS)
    assert tomobasis.svd(np.load(tmp_path / "a.npy", mmap_mode="r")).digest == tomobasis.svd(INTEGERS).digest


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("center", ["rows", "columns", "both"])
def test_means_are_removed_exactly(center, kind):
    a = (INTEGERS[:, :5].astype(int) + (40000 if kind == np.uint16 else 0)).astype(kind)
    if a.dtype.kind == "f":
        a = a / kind(7) + kind(100)
    centered = a.astype(float)
    if center != "columns":
        centered -= centered.mean(1, keepdims=True)
    if center != "rows":
        centered -= centered.mean(0)
    U, s, Vt = found = tomobasis.svd(a, center=center)
    assert found.rank == (5 if center == "columns" else 4)
    assert np.allclose(U * s @ Vt, centered, atol=1e-9)
    words = {"rows": "pixels", "columns": "slices", "both": "both"}
    assert found.digest == root_of(a, found, f"center {words[center]}\n")
    for same in (np.asfortranarray(a), a[::-1][::-1]):
        assert tomobasis.svd(same, center=center, threads=1).digest == found.digest


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_nothing_is_left_of_equal_columns_and_of_constant_ones(kind):
    column = np.random.default_rng(31).standard_normal((5000, 1)).astype(kind) * kind(1e-4) + kind(0.1)
    equal, constant = np.tile(column, (1, 4)), np.tile(column[:4].T, (5000, 1))
    for a, none, some in ((equal, "rows", "columns"), (constant, "columns", "rows")):
        for center in (none, "both"):
            U, s, Vt = found = tomobasis.svd(a, center=center)
            assert (found.rank, U.shape, s.shape, Vt.shape, found.energy) == (0, (5000, 0), (0,), (0, 4), 0)
        assert tomobasis.svd(a, center=some).rank == 1


def test_floats_too_far_apart_are_refused_with_and_without_means():
    a = np.array([[1e100, 1], [1e-100, 2]])
    for center in (None, "rows", "columns", "both"):
        with pytest.raises(tomobasis.InputError, match=r"column 1: .* tsqr"):
            tomobasis.svd(a, center=center)


def test_fewer_triplets_are_the_first_of_all():
    all_of_them, few = tomobasis.svd(INTEGERS), tomobasis.svd(INTEGERS, rank=3)
    assert np.array_equal(few.U, all_of_them.U[:, :3]) and np.array_equal(few.Vt, all_of_them.Vt[:3])
    assert few.s.tolist() == all_of_them.s[:3].tolist() and len(few) == 3 and few[1] is few.s


def test_a_matrix_of_low_rank_or_of_zeros_has_no_more_singular_values_than_its_rank():
    low = np.outer(np.arange(30), [1, 2, 3]).astype(np.int16)
    assert tomobasis.svd(low).rank == len(tomobasis.svd(low).s) == 1
    U, s, Vt = tomobasis.svd(np.zeros((9, 3), np.int8))
    assert (U.shape, s.shape, Vt.shape) == ((9, 0), (0,), (0, 3))


def test_the_gram_matrix_is_exact():
    a = np.array([[-32768, 32767, 5]] * 4097, dtype=np.int16)
    assert tomobasis.gram(a).tolist() == exact_gram(a)
    assert tomobasis.gram(INTEGERS[:, ::-1]).tolist() == exact_gram(INTEGERS[:, ::-1])


BAD = {
    "a vector": (np.arange(3), "reshape"),
    "three dimensions": (np.zeros((2, 2, 2)), "2 dimensions"),
    "a number": (3.0, "2 dimensions"),
    "no rows": (np.zeros((0, 3)), "no rows"),
    "no columns": (np.zeros((3, 0)), "1 to 16384 columns"),
    "too many columns": (np.zeros((1, 16385), np.int8), "16384 columns"),
    "NaN": (np.array([[1.0, 2.0], [np.nan, 1.0]]), "row 2, column 1"),
    "infinity": (np.array([[0.5, -np.inf]]), "row 1, column 2"),
    "complex numbers": (np.eye(2) * 1j, "complex"),
    "objects": (np.array([[1, None]], dtype=object), "dtype=float"),
    "texts": (np.array([["a", "b"]]), "no numbers"),
    "times": (np.zeros((2, 2), "M8[s]"), "no numbers"),
    "records": (np.zeros((2, 2), [("x", "f8")]), "no numbers"),
    "long doubles": (np.eye(2, dtype=np.longdouble), "astype"),
    "masked values": (np.ma.masked_equal([[1, 2], [3, 4]], 2), "filled"),
    "a list of masked rows": ([np.ma.masked_equal([1, 2], 2), np.ma.masked_equal([1, 3], 2)], "filled"),
    "too large an integer": (np.array([[1, 2**53 + 1]]), "column 2"),
    "too wide a range": (np.array([[1e100], [1e-100]]), "tsqr"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_matrix_of_numbers_is_one_error_that_says_what_to_do(name):
    a, says = BAD[name]
    with pytest.raises(tomobasis.InputError, match=says) as caught:
        tomobasis.svd(a)
    assert isinstance(caught.value, ValueError) and "\n" not in str(caught.value)


OTHERS = {
    "tsqr": tomobasis.tsqr,
    "qr": tomobasis.qr,
    "randomized_svd": lambda a: tomobasis.randomized_svd(a, 1),
    "gram": tomobasis.gram,
    "GramState": lambda a: tomobasis.GramState(2).update(a),
    "FloatRanges": lambda a: tomobasis.FloatRanges(2).update(a),
    "project": lambda a: factors_of_two_columns().project(a),
}


def factors_of_two_columns():
    state = tomobasis.GramState(2)
    state.update([[3, 4], [5, 6]])
    return state.finish()


@pytest.mark.parametrize("call", OTHERS)
@pytest.mark.parametrize("name", BAD)
def test_every_call_refuses_it(name, call):
    if name in ("too many columns", "too wide a range") and call in ("tsqr", "qr", "randomized_svd", "FloatRanges"):
        pytest.skip("these take it, or have no such limit")
    with pytest.raises(tomobasis.InputError) as caught:
        OTHERS[call](BAD[name][0])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("a", [INTEGERS, FLOATS], ids=["integers", "floats"])
def test_an_array_that_another_thread_changes_crashes_nothing(a):
    """The numbers then mean nothing, as the documentation says."""
    a, over = np.tile(a, (4, 1)), threading.Event()
    others = [a[::-1].copy(), np.zeros_like(a), np.full_like(a, 7)]

    def change():
        while not over.is_set():
            for other in others:
                a[:] = other

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for call in (tomobasis.svd, tomobasis.tsqr, tomobasis.qr) * 3:
            with contextlib.suppress(tomobasis.TomoBasisError):
                call(a)
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("rank", [0, 13, 10**15])
def test_a_rank_that_there_cannot_be_is_refused(rank):
    for call in (tomobasis.svd, tomobasis.tsqr):
        with pytest.raises(tomobasis.InputError, match=f"^rank {rank} is outside 1 to 12"):
            call(INTEGERS, rank)
    with pytest.raises(tomobasis.InputError, match=f"^k {rank} is outside 1 to 12"):
        tomobasis.randomized_svd(INTEGERS, rank)


@pytest.mark.parametrize("scale", [1e200, 2.0**400, 1.5e-200])
@pytest.mark.parametrize("kind", ["svd", "tsqr", "randomized_svd"])
def test_floats_whose_squares_have_no_sum_are_refused_as_those_of_a_file(scale, kind, tmp_path):
    a = np.diag([1.0, 0.5, 0.25]) * scale
    methods = {"svd": "gram", "tsqr": "tsqr", "randomized_svd": "dssvd"}
    arguments = (a, 2) if kind == "randomized_svd" else (a,)
    with pytest.raises(tomobasis.InputError) as ours:
        getattr(tomobasis, kind)(*arguments)
    np.save(tmp_path / "a.npy", a)
    with pytest.raises(tomobasis.InputError) as theirs:
        tomobasis.decompose(
            tmp_path / "a.npy", tmp_path / "out", input_format="npy", method=methods[kind], rank=2, emit=["parquet"]
        )
    assert str(ours.value).startswith("the largest magnitude of the matrix is ")
    assert str(ours.value) in str(theirs.value)
    found = getattr(tomobasis, kind)(a / scale * 2.0**399, *arguments[1:])
    assert found.s[0] == pytest.approx(2.0**399, rel=1e-12)


def test_qr_has_no_energy_and_takes_floats_of_any_size():
    q, r = tomobasis.qr(np.diag([4.0, 3.0]) * 1e200)
    assert np.allclose(q @ (r / 1e200), np.diag([4, 3]))


def test_arguments_without_meaning_are_refused():
    with pytest.raises(tomobasis.InputError, match="center"):
        tomobasis.svd(INTEGERS, center="middle")
    with pytest.raises(tomobasis.InputError, match="center"):
        tomobasis.svd(FLOATS, center="mean")
    with pytest.raises(tomobasis.InputError, match="full_matrices"):
        tomobasis.svd(INTEGERS, full_matrices=True)
    state = tomobasis.GramState(12)
    state.update(INTEGERS)
    for center in (True, False, 0, b"rows", ["rows"]):
        for call in (lambda c: tomobasis.svd(INTEGERS, center=c), lambda c: state.finish(center=c)):
            with pytest.raises(tomobasis.InputError, match="center is of the type"):
                call(center)
    for center in ("rows", 1, None):
        with pytest.raises(tomobasis.InputError, match=r"center is of the type .*True or False"):
            tomobasis.tsqr(INTEGERS, center=center)
    assert tomobasis.tsqr(INTEGERS, center=np.True_).digest == tomobasis.tsqr(INTEGERS, center=True).digest


@pytest.mark.parametrize(
    ("argument", "call"),
    {
        "rank": lambda value: tomobasis.svd(INTEGERS, rank=value),
        "threads": lambda value: tomobasis.gram(INTEGERS, threads=value),
        "k": lambda value: tomobasis.randomized_svd(INTEGERS, value),
        "p": lambda value: tomobasis.randomized_svd(INTEGERS, 3, p=value),
        "q": lambda value: tomobasis.randomized_svd(INTEGERS, 3, q=value),
        "seed": lambda value: tomobasis.randomized_svd(INTEGERS, 3, seed=value),
        "columns": tomobasis.GramState,
    }.items(),
)
def test_what_is_no_count_is_refused_by_the_name_of_its_argument(argument, call):
    allowed = {"rank": "1 to n, the number of columns", "k": "1 to n, the number of columns", "columns": "1 to 16384"}
    for value in (-1, 2**64, 10**60, np.int64(-3)):
        with pytest.raises(tomobasis.InputError) as caught:
            call(value)
        assert str(caught.value).startswith(f"{argument} {value} is outside {allowed.get(argument, '0')}")
    # numpy.linalg.svd(a, True) is something else.
    for value in (2.0, "3", np.float64(3), [3], np.arange(3), True, np.False_):
        with pytest.raises(tomobasis.InputError, match=f"{argument} is of the type .*: give an integer"):
            call(value)
    if argument != "columns":
        call(np.int16(2))


@pytest.mark.skipif(not hasattr(tomobasis._native, "panics"), reason="the wheel is built without abort-on-panic")
def test_a_panic_ends_the_process_of_a_wheel_that_is_built_for_it():
    run = subprocess.run([sys.executable, "-c", "import tomobasis; tomobasis._native.panics()"], capture_output=True)
    assert run.returncode == -signal.SIGABRT and b"asked for" in run.stderr


def test_progress_is_told_and_an_exception_in_it_ends_the_call():
    told = []
    tomobasis.svd(INTEGERS, progress=lambda *of: told.append(of))
    assert [stage for stage, done, total in told if done == total] == ["gram", "decompose", "basis"]
    assert tomobasis.svd(INTEGERS, progress=True).rank == 12

    def refuse(*_):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        tomobasis.svd(INTEGERS, progress=refuse)


def test_ctrl_c_stops_a_long_call_and_other_threads_run_meanwhile():
    # Where the tests run in the background, they may have been started with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    a = RNG.standard_normal((400_000, 40))
    counted, over = [], threading.Event()

    def count():
        while not over.wait(0.01):
            counted.append(time.monotonic())

    def interrupt(stage, done, total):
        if stage == "dssvd" and done == 5:
            signal.raise_signal(signal.SIGINT)

    threading.Thread(target=count, daemon=True).start()
    seen = []
    with pytest.raises(KeyboardInterrupt):
        tomobasis.randomized_svd(a, 10, q=500, progress=lambda *of: (seen.append(of), interrupt(*of)), threads=2)
    over.set()
    assert seen[-1][1] < seen[-1][2] / 4
    assert len(counted) > 0


def test_a_result_can_be_pickled_and_shows_what_it_is():
    found = tomobasis.svd(INTEGERS)
    again = pickle.loads(pickle.dumps(found))
    assert again.digest == found.digest and np.array_equal(again.U, found.U)
    assert found.digest[:16] in repr(found) and "5000 x 12" in repr(found)
