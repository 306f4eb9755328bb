"""The decomposition of a scan by Spark's DataFrames: slices are decoded in tasks, cut into row blocks, summed, projected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _errors, _native, _spark_library
from ._arguments import arguments, groups_of, path_list
from ._errors import InputError
from ._spark_result import SparkResult

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from ._arguments import Paths

# Pixels of a slice that make a row block (docs/format.md).
BLOCK_ROWS = 4096
# Bytes of row blocks that one task has at a time.
GROUP_BYTES = 64 << 20
# Slices that one task decodes.
SLICES_PER_TASK = 16
# What a result folder has, and a result in memory has not.
FOLDER_OPTIONS = ("output", "emit", "report", "composite", "overwrite", "dicom_syntax", "no_patient_data", "verbose")
BLOCKS = "block int, slice int, values binary"
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
    blocks; others add up the exact sums of some row blocks each; ``s`` and ``V`` are computed in this process, ``U`` in
    tasks again.

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
        Of ``tasks``: threads of this process, for ``s`` and ``V``; 0: one per core.
    **options
        Those of ``tomobasis.decompose``, with ``output`` for a result folder. ``tasks`` takes those that choose the scan
        and its exact decomposition: ``rank``, ``center``, ``series``, ``join``, ``padding``; slices that cannot be used
        are an error.

    Returns
    -------
    SparkResult

    Raises
    ------
    InputError, FileError
        For an option or an input that cannot be used. With ``tasks``, a slice that cannot be decoded ends the query with
        Spark's own exception, which has the text.
    RunError
        When the library fails while it runs.
    """
    if by not in (None, "library", "tasks"):
        raise InputError(f"by: {by!r} is no way; give 'library' or 'tasks'")
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
    for name in FOLDER_OPTIONS:
        if options.get(name) not in (None, False):
            raise InputError(
                f"{name}: no result folder is written; write u, s and Vt, or use the library or the Spark job"
            )
    if options.get("on_bad_slice") not in (None, "fail"):
        raise InputError("on_bad_slice: bad slices are not left out here; use tomobasis.decompose or the Spark job")
    if options.get("method") not in (None, "gram", "exact") or options.get("input_format") not in (None, "dicom"):
        raise InputError("only the exact method, gram, for scans runs here; use tomobasis.decompose or the Spark job")
    ours = {name: value for name, value in options.items() if name not in FOLDER_OPTIONS}
    words = arguments(path_list(paths), output="-", **ours)
    plan, rows, count = _plan(spark, words)
    blocks = _blocks(spark, words, plan, count).persist()
    groups = groups or max(1, -(-rows * count * 2 // GROUP_BYTES))
    state, records = _sums(blocks, rows, count, groups)
    solved = _native.Solved.compute(words, plan, state, records, threads)
    u = _basis(blocks, rows, count, groups, solved).persist()
    digests = u.where("digest is not null").select("block", "digest").collect()
    facts = solved.facts()

    def forget():
        u.unpersist()
        blocks.unpersist()

    return SparkResult(
        u=u.select("block", "row", "values"),
        s=solved.s,
        Vt=solved.Vt,
        rank=facts["rank"],
        energy=facts["energy"],
        bounds=facts["bounds"],
        unresolved=tuple(facts["unresolved"]),
        digests=solved.digests([bytes(row["digest"]) for row in sorted(digests, key=lambda row: row["block"])]),
        notes=tuple(facts["notes"]),
        output=None,
        _forget=forget,
    )


def _plan(spark: Any, words: list[str]) -> tuple[str, int, int]:
    """The plan of the scan, by one task; pixels and number of its slices."""
    import pyarrow as pa

    def planned(batches):
        for batch in batches:
            if batch.num_rows:
                try:
                    found = {"plan": _native.plans(words, False, 0, None), "kind": [""]}
                except _errors.TomoBasisError as error:
                    # As a row: of an exception in a task the caller would get Spark's, with our words somewhere in it.
                    found = {"plan": [str(error)], "kind": [type(error).__name__]}
                yield pa.RecordBatch.from_pydict(found)

    [row] = spark.range(1).mapInArrow(planned, "plan string, kind string").collect()
    if row["kind"]:
        raise getattr(_errors, row["kind"])(row["plan"])
    found = json.loads(row["plan"])
    return row["plan"], found["rows"] * found["columns"], len(found["slices"])


def _blocks(spark: Any, words: list[str], plan: str, count: int) -> DataFrame:
    """Row blocks of each slice, as int16; and, as block -1, what decoding said of the slice."""
    import pyarrow as pa

    def decoded(batches):
        for batch in batches:
            slices = batch.column(0).to_pylist()
            for first in range(0, len(slices), 4):
                some = slices[first : first + 4]
                pixels, records = _native.slices(words, plan, some, 1)
                for index, values, record in zip(some, pixels, records, strict=True):
                    parts = [values[i : i + BLOCK_ROWS].tobytes() for i in range(0, len(values), BLOCK_ROWS)]
                    columns = {
                        "block": pa.array(range(-1, len(parts)), pa.int32()),
                        "slice": pa.array([index] * (len(parts) + 1), pa.int32()),
                        "values": pa.array([record, *parts], pa.binary()),
                    }
                    yield pa.RecordBatch.from_pydict(columns)

    tasks = -(-count // SLICES_PER_TASK)
    return spark.range(0, count, 1, tasks).mapInArrow(decoded, BLOCKS)


def _grouped(blocks: DataFrame, groups: int) -> Any:
    from pyspark.sql import functions

    pixels = blocks.where("block >= 0")
    return pixels.groupBy((functions.col("block") % groups).alias("group"))


def _assembled(table: Any, rows: int, count: int) -> Any:
    """The row blocks of a group, slices x rows each."""
    places = np.column_stack([table.column("block").to_numpy(), table.column("slice").to_numpy()])
    values = table.column("values").combine_chunks() if len(places) else []
    order = np.lexsort((places[:, 1], places[:, 0]))
    for first in range(0, len(order), count):
        some = order[first : first + count]
        block = int(places[some[0], 0])
        if (places[some, 0] != block).any() or (places[some, 1] != np.arange(count)).any():
            raise InputError(f"row block {block}: slices are missing; the session lost some of its data")
        height = min(BLOCK_ROWS, rows - block * BLOCK_ROWS)
        stored = np.empty((count, height), np.int16)
        for row, at in zip(stored, some, strict=True):
            row[:] = np.frombuffer(values[int(at)].as_buffer(), "<i2")
        yield block, stored


def _sums(blocks: DataFrame, rows: int, count: int, groups: int) -> tuple[_native.GramState, list[bytes]]:
    import pyarrow as pa

    def summed(table):
        state = _native.GramState(count)
        for _, stored in _assembled(table, rows, count):
            state.update(stored.T)
        return pa.table({"state": pa.array([state.to_bytes()], pa.binary())})

    total = _native.GramState(count)
    for row in _grouped(blocks, groups).applyInArrow(summed, "state binary").collect():
        total.merge(_native.GramState.from_bytes(bytes(row["state"])))
    records = blocks.where("block = -1").select("slice", "values").collect()
    return total, [bytes(row["values"]) for row in sorted(records, key=lambda row: row["slice"])]


def _basis(blocks: DataFrame, rows: int, count: int, groups: int, solved: _native.Solved) -> DataFrame:
    """``U`` by rows; the first of each block has the block's digest."""
    import pyarrow as pa

    def projected(table):
        found = []
        for block, stored in _assembled(table, rows, count):
            u, digest = solved.basis(stored)
            height, rank = u.shape
            columns = {
                "block": pa.array(np.full(height, block, np.int32)),
                "row": pa.array(np.arange(height, dtype=np.int64) + block * BLOCK_ROWS),
                "values": pa.ListArray.from_arrays(np.arange(height + 1, dtype=np.int32) * rank, u.ravel()),
                "digest": pa.array([digest] + [None] * (height - 1), pa.binary()),
            }
            found.append(pa.table(columns))
        return pa.concat_tables(found)

    return _grouped(blocks, groups).applyInArrow(projected, BASIS)
