"""Ctrl-C at any moment, processes that fork, threads that call at once: the package leaves its host as it was."""

import multiprocessing
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tomobasis
from running import made_scan

RNG = np.random.default_rng(7)
FLOATS = RNG.standard_normal((60_000, 24))
INTEGERS = RNG.integers(-1000, 3000, (120_000, 24)).astype(np.int16)
SMALL = INTEGERS[:500, :6]
# How often each call is interrupted: so many times, but no longer than these seconds once it was a few times.
TRIES, FEW, ENOUGH = 25, 5, 20
# Seconds that a call has to end in after it was told to; the solver runs to its end first.
PATIENCE = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    base = tmp_path_factory.mktemp("scans")
    made_scan(base / "scan", slices=40, rows=64, columns=64)
    tomobasis.decompose(base / "scan", base / "result", rank=20)
    return base


def calls(folder, out):
    """Each with what may be in the folder `out` after it: nothing, or what a call that was not interrupted leaves."""
    scan, result = folder / "scan", folder / "result"
    voxels = tomobasis.read(scan).hu
    return {
        "svd of integers": lambda: tomobasis.svd(INTEGERS),
        "svd of floats": lambda: tomobasis.svd(FLOATS, center="columns"),
        "tsqr": lambda: tomobasis.tsqr(FLOATS),
        "update": lambda: tomobasis.GramState(24).update(INTEGERS),
        "read": lambda: tomobasis.read(scan),
        "decompose": lambda: tomobasis.decompose(scan, out / "result", rank=3, overwrite=True),
        "denoise": lambda: tomobasis.denoise(voxels, 1.0),
        "denoise_series": lambda: tomobasis.denoise_series(scan, out / "denoised", overwrite=True),
        "verify": lambda: tomobasis.Result(result).verify(scan),
    }


def interrupted(call, delay):
    """Calls it, with a SIGINT after the delay; whether the call ended before. Anything but KeyboardInterrupt is a fault."""
    ended = False
    timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        call()
        ended = True
        time.sleep(PATIENCE)
        raise AssertionError("no KeyboardInterrupt came")
    except KeyboardInterrupt:
        told = time.monotonic()
    timer.join()
    assert time.monotonic() - told < PATIENCE
    return ended


@pytest.mark.parametrize(
    "name",
    ["svd of integers", "svd of floats", "tsqr", "update", "read", "decompose", "denoise", "denoise_series", "verify"],
)
def test_ctrl_c_at_any_moment_is_a_keyboard_interrupt_and_leaves_nothing(name, folder, tmp_path, monkeypatch):
    # Where the tests run in the background, they may have been started with SIGINT ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    (tmp_path / "out").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    call = calls(folder, tmp_path / "out")[name]
    digest = tomobasis.svd(SMALL).digest
    try:
        began = time.monotonic()
        call()
        whole = time.monotonic() - began
        left = {path.name for path in (tmp_path / "out").iterdir()}
        threads = threading.active_count()
        draw = random.Random(name)
        ended = []
        while len(ended) < FEW or (len(ended) < TRIES and time.monotonic() - began < ENOUGH):
            ended.append(interrupted(call, draw.uniform(0, whole)))
    finally:
        signal.signal(signal.SIGINT, before)
    # Some came in time, or nothing was tested.
    assert not all(ended)
    assert {path.name for path in (tmp_path / "out").iterdir()} == left
    assert list((tmp_path / "temporary").iterdir()) == []
    assert threading.active_count() == threads
    if "result" in left:
        tomobasis.Result(tmp_path / "out/result").verify(folder / "scan")
    assert tomobasis.svd(SMALL).digest == digest


def child(name, folder, out, queue):
    out.mkdir()
    calls(folder, out)[name]()
    queue.put(tomobasis.svd(SMALL).digest)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_process_may_fork_after_the_threads_were_used(folder, tmp_path):
    (tmp_path / "out").mkdir()
    for call in calls(folder, tmp_path / "out").values():
        call()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    expected = tomobasis.svd(SMALL).digest
    names = list(calls(folder, tmp_path))
    for at, name in enumerate(names):
        process = context.Process(target=child, args=(name, folder, tmp_path / f"child-{at}", queue))
        process.start()
        try:
            process.join(120)
            assert process.exitcode == 0, name
            assert queue.get(timeout=10) == expected
        finally:
            process.kill()
            process.join()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_process_may_fork_while_other_threads_call():
    """Their work is the parent's; the child begins its own."""
    over = threading.Event()

    def busy():
        while not over.is_set():
            tomobasis.svd(INTEGERS, threads=2)

    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    expected = tomobasis.svd(SMALL).digest
    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(10):
            process = context.Process(target=lambda: queue.put(tomobasis.svd(SMALL, threads=2).digest))
            process.start()
            try:
                assert queue.get(timeout=60) == expected
                process.join(60)
                assert process.exitcode == 0
            finally:
                process.kill()
                process.join()
    finally:
        over.set()
        thread.join()


def test_threads_that_call_at_once_get_what_each_would_alone(folder, tmp_path):
    def all_of(at):
        out = tmp_path / str(at)
        state = tomobasis.GramState(24)
        state.update(INTEGERS[:5000])
        return (
            tomobasis.svd(SMALL).digest,
            tomobasis.svd(FLOATS[:9000]).digest,
            tomobasis.decompose(folder / "scan", out, rank=3, emit=["parquet"]).digest,
            tomobasis.read(folder / "scan").digest,
            state.finish().digests["V"],
        )

    alone = all_of("alone")
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(all_of, range(16))) == {alone}


def test_an_array_that_changes_meanwhile_gives_numbers_or_one_of_our_errors():
    """Numbers without meaning, as the documentation says; no crash, and the next call is right."""
    changing = FLOATS.copy()
    over = threading.Event()

    def change():
        values = [0.0, 1e300, np.nan, 7.0, -np.inf, 1e-300]
        while not over.is_set():
            for value in values:
                changing[::7, ::3] = value
                changing[::5] = FLOATS[::5]

    thread = threading.Thread(target=change)
    thread.start()
    ranges = tomobasis.FloatRanges(24)
    ranges.update(FLOATS)
    state = tomobasis.FloatGramState(ranges)
    try:
        for call in [tomobasis.svd, tomobasis.tsqr, tomobasis.qr, lambda a: tomobasis.randomized_svd(a, 3),
                     tomobasis.gram, ranges.update, state.update]:  # fmt: skip
            for _ in range(5):
                try:
                    call(changing)
                except tomobasis.TomoBasisError as error:
                    assert "\n" not in str(error)
    finally:
        over.set()
        thread.join()
    assert np.array_equal(tomobasis.svd(FLOATS).s, tomobasis.svd(FLOATS.copy()).s)
