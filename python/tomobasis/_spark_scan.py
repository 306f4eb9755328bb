"""The decomposition of a scan by Spark's DataFrames: slices are decoded in tasks, cut into row blocks, summed, projected."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _native, _spark_folder, _spark_library
from ._arguments import arguments, groups_of, path_list, path_of
from ._errors import InputError
from ._native import BLOCK_ROWS
from ._spark_blocks import Blocks, plan, row_blocks, row_blocks_of, sent
from ._spark_folder import Stopwatch
from ._spark_result import SparkResult

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from ._arguments import Paths
    from ._spark_blocks import Batches, Block

# What a result folder has, and a result in memory has not.
FOLDER_OPTIONS = ("emit", "report", "composite", "overwrite", "dicom_syntax", "no_patient_data", "verbose")
BASIS = "block int, row long, values array<double>, digest binary"


def decompose(
    spark: Any,
    paths: Paths,
    *,
    by: Literal["library", "tasks"] | None = None,
    groups: int | None = None,
    threads: int = 0,
    **options: Any,
) -> SparkResult:
    """Decomposes a scan in a Spark session, with the bits of ``tomobasis decompose``, whatever the partitions.

    There are two ways. ``library``: a classic session whose JVM has ``tomobasis-spark.jar`` runs the job's own code, with
    all methods, inputs and options, result folders included. ``tasks``: any session, also of Spark Connect, runs this
    package in Python tasks: one plans the scan by its headers; others decode some slices each and cut them into row
    blocks; others add up the exact sums of some row blocks each, or run the passes of the other methods over them; ``s``
    and ``V`` are computed in this process, ``U`` in tasks again. With ``output``, tasks make the files of the result
    folder too, and this process writes them as they come, into a local folder.

    Parameters
    ----------
    spark : pyspark.sql.SparkSession
    paths : path, or sequence of them
        As for ``inspect``; the same on every machine that runs tasks. One path of Hadoop's for ``library``.
    by : {"library", "tasks"}, optional
        The way; by default ``library`` where the session has it.
    groups : int, optional
        Of ``tasks``: how many of them add up row blocks, from 1; by default as many as take 64 MiB of the scan each.
    threads : int, optional
        Of ``tasks``: threads of this process, for ``s`` and ``V`` and for pictures; 0: one per core.
    **options
        Those of ``tomobasis.decompose``, with ``output`` for a result folder: with ``tasks`` one of this process's own.
        ``tasks`` takes all but ``reference``, ``on_bad_slice="skip"``, ``series="all"`` without ``basis="joint"`` and
        the formats of matrices.

    Returns
    -------
    SparkResult

    Raises
    ------
    InputError, FileError
        For an option or an input that cannot be used. With ``tasks``, a file that a task cannot read ends the query with
        Spark's own exception, which has the text.
    RunError
        When the library fails while it runs.
    KeyboardInterrupt
        At Ctrl-C. No result folder is left behind after any exception.
    """
    if by not in (None, "library", "tasks"):
        raise InputError(f"by: {by!r} is no way; give 'library' or 'tasks'")
    if not hasattr(spark, "addTag"):
        raise InputError(f"spark is of the type {type(spark).__name__}: give a session of PySpark")
    library = None if by == "tasks" else _spark_library.find(spark)
    if by == "library" and library is None:
        raise InputError(
            "by: this session has no library; start a classic one with tomobasis-spark.jar, or give 'tasks'"
        )
    if library is None:
        return _in_tasks(spark, paths, groups, threads, options)
    if groups is not None or threads:
        raise InputError("groups, threads: they are for by='tasks'; leave them out")
    return _spark_library.decompose(spark, library, path_list(paths), options)


def _in_tasks(spark: Any, paths: Paths, groups: int | None, threads: int, options: dict[str, Any]) -> SparkResult:
    groups = None if groups is None else groups_of(groups)
    given = {name: value for name, value in options.items() if value is not None and value is not False}
    output = path_of(given.pop("output"), "output") if "output" in given else None
    if output is None and (some := [name for name in FOLDER_OPTIONS if name in given]):
        raise InputError(f"{some[0]}: it is for a result folder; give output too, or leave it out")
    words = arguments([_absolute(path) for path in path_list(paths)], output="-" if output is None else output, **given)
    about = json.loads(_native.task_options(words, threads))
    folder = None if output is None else _native.GatheredFolder(words)
    kept: list[DataFrame] = []
    try:
        with _interruptible(spark):
            return _decomposed(spark, words, about, groups, threads, folder, kept, output)
    except BaseException:
        if folder is not None:
            folder.abandon()
        _forget(kept)
        raise


def _absolute(path: str) -> str:
    """A path that means in tasks what it means here: relative ones are of this process's working directory."""
    relative = os.path.lexists(path) or not (":" in path or os.path.isabs(path))
    return os.path.join(os.getcwd(), path) if path and relative else path


def _decomposed(
    spark: Any,
    words: list[str],
    about: dict[str, Any],
    groups: int | None,
    threads: int,
    folder: _native.GatheredFolder | None,
    kept: list[DataFrame],
    output: str | None,
) -> SparkResult:
    """The same; frames that Spark keeps go into ``kept``."""
    watch = Stopwatch()
    scan, _, sums, solve, *_ = about["stages"]
    with watch.time(scan):
        text, rows, count = plan(spark, words)
    blocks = row_blocks_of(spark, words, text, rows, count, groups)
    kept.append(blocks.frame)
    with watch.time(sums):
        finish = (_exact if about["exact"] else _in_passes)(blocks, threads)
    with watch.time(solve):
        solved = finish()
    u = _basis(blocks, solved.to_bytes(blocks.most_sent))
    if folder is not None:
        digests = _spark_folder.write(folder, blocks, solved, about, watch, threads)
    else:
        kept.append(u.persist())
        found = u.where("digest is not null").select("block", "digest").collect()
        digests = [bytes(row["digest"]) for row in sorted(found, key=lambda row: row["block"])]
    facts = solved.facts()
    return SparkResult(
        u=u.select("block", "row", "values"),
        s=solved.s,
        Vt=solved.Vt,
        rank=facts["rank"],
        energy=facts["energy"],
        bounds=facts["bounds"],
        unresolved=tuple(facts["unresolved"]),
        digests=solved.digests(digests),
        notes=tuple(facts["notes"]),
        output=None if output is None else os.fspath(_native.local_folder(output)),
        _forget=lambda: _forget(kept),
    )


@contextlib.contextmanager
def _interruptible(spark: Any) -> Iterator[None]:
    """Queries of this thread end in Spark too when they end here by an exception."""
    tag = f"tomobasis-{uuid.uuid4().hex}"
    spark.addTag(tag)
    try:
        yield
    except BaseException:
        # Where the session itself is gone there is nothing to end.
        with contextlib.suppress(Exception):
            spark.interruptTag(tag)
        raise
    finally:
        with contextlib.suppress(Exception):
            spark.removeTag(tag)


def _forget(kept: list[DataFrame]) -> None:
    """Lets Spark drop what it keeps."""
    while kept:
        # Where the session is gone, so is what it kept.
        with contextlib.suppress(Exception):
            kept.pop().unpersist()


def _found(blocks: Blocks, work: Callable[[Iterator[Block]], Batches], readings: dict[bytes, None]) -> list[bytes]:
    """What ``work`` found in each partition; the records of all slices go into ``readings``, once for each way they were read."""
    found = []
    for kind, _, pieces in blocks.answers(work):
        data = b"".join(pieces)
        if kind == "records":
            readings[data] = None
        else:
            found.append(data)
    return found


def _exact(blocks: Blocks, threads: int) -> Callable[[], _native.Solved]:
    """Adds up the exact sums; what is left is the result of the call."""
    count, readings = blocks.count, dict[bytes, None]()

    def summed(mine):
        state, read = _native.GramState(count), {}
        for _, stored, records in mine:
            state.update(stored.T)
            read[records] = None
        yield sent("sums", "", state.to_bytes())
        for records in read:
            yield sent("records", "", records)

    total = _native.GramState(count)
    for part in _found(blocks, summed, readings):
        total.merge(_native.GramState.from_bytes(part))
    return lambda: _native.Solved.compute(blocks.words, blocks.plan, total, b"".join(readings), threads)


def _in_passes(blocks: Blocks, threads: int) -> Callable[[], _native.Solved]:
    """Runs the passes of the methods whose sums have a fixed order: what is found in the blocks is put together by their indices."""
    passes, readings = _native.Passes(blocks.words, blocks.plan), dict[bytes, None]()

    def of_pass(data):
        def partial(mine):
            found, read = _native.PartialPass(data), {}
            for block, stored, records in mine:
                found.add(block, stored)
                read[records] = None
            if read:
                yield sent("partials", "", found.take())
            for records in read:
                yield sent("records", "", records)

        return partial

    while (data := passes.pass_bytes(blocks.most_sent)) is not None:
        passes.add(_found(blocks, of_pass(data), readings), threads)
    return lambda: passes.finish(b"".join(readings))


def _basis(blocks: Blocks, data: bytes) -> DataFrame:
    """``U`` by rows; the first of each block has the block's digest."""
    import pyarrow as pa

    rows, count = blocks.rows, blocks.count

    def projected(batches):
        solved = _native.Solved.from_bytes(data)
        for block, stored, records in row_blocks(batches, rows, count):
            u, digest = solved.basis(block, stored, records)
            height, rank = u.shape
            columns = {
                "block": pa.array(np.full(height, block, np.int32)),
                "row": pa.array(np.arange(height, dtype=np.int64) + block * BLOCK_ROWS),
                "values": pa.ListArray.from_arrays(np.arange(height + 1, dtype=np.int32) * rank, u.ravel()),
                "digest": pa.array([digest] + [None] * (height - 1), pa.binary()),
            }
            yield pa.RecordBatch.from_pydict(columns)

    return blocks.frame.mapInArrow(projected, BASIS)
