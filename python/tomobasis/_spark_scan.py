"""The decomposition of a scan by Spark's DataFrames: slices are decoded in tasks, cut into row blocks, summed, projected."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _errors, _native
from ._arguments import arguments, path_list
from ._errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from ._arguments import Paths

# Pixels of a slice that make a row block (docs/format.md).
BLOCK_ROWS = 4096
# Bytes of row blocks that one task has at a time.
GROUP_BYTES = 64 << 20
# Slices that one task decodes.
SLICES_PER_TASK = 16
# What a result folder has, and a result in memory has not.
FOLDER_OPTIONS = ("output", "emit", "composite", "overwrite", "dicom_syntax", "no_patient_data", "verbose")
BLOCKS = "block int, slice int, values binary"


@dataclass(frozen=True, eq=False)
class SparkResult:
    """A scan's decomposition, whose basis vectors are in a DataFrame: ``A = U @ diag(s) @ Vt``, A being pixels x slices."""

    u: DataFrame = field(repr=False)
    """Left singular vectors by row blocks: ``block`` (from 0), ``rows`` and ``values``, rows x k float64, little-endian,
    row by row; kept by Spark until ``unpersist``."""
    s: NDArray[np.float64]
    """Singular values, k, descending."""
    Vt: NDArray[np.float64]
    """Weights as rows, k x n: a column for each slice, in spatial order."""
    rank: int | None
    """Numerical rank, where all singular values were computed."""
    energy: float
    """Squared Frobenius norm of A, without the means that were removed."""
    bounds: Mapping[str, float]
    """What was proven, as in ``manifest.json``."""
    unresolved: tuple[int, ...]
    """Columns (from 0) whose singular values coincide with an adjacent one."""
    digests: Mapping[str, str]
    """SHA-256 of ``pixels``, ``s``, ``V``, ``U``, and the ``root`` (docs/format.md)."""
    notes: tuple[str, ...] = field(repr=False)
    """What is to be told of the scan."""
    _kept: tuple[DataFrame, ...] = field(repr=False, default=())

    @property
    def digest(self) -> str:
        """The root digest: that of ``tomobasis decompose`` for the same scan and options."""
        return self.digests["root"]

    def U(self) -> NDArray[np.float64]:
        """All basis vectors, pixels x k, collected to this process."""
        parts = sorted(self.u.collect(), key=lambda row: row["block"])
        return np.concatenate([np.frombuffer(row["values"], "<f8").reshape(row["rows"], -1) for row in parts])

    def unpersist(self) -> None:
        """Lets Spark forget what it keeps of the result; ``u`` is computed again where it is used later."""
        for df in self._kept:
            df.unpersist()


def decompose(spark: Any, paths: Paths, *, groups: int | None = None, threads: int = 0, **options: Any) -> SparkResult:
    """Decomposes a scan in the tasks of a Spark session, classic or of Spark Connect; class certified.

    One task plans the scan by its headers; others decode some slices each and cut them into row blocks; others add up
    the exact sums of some row blocks each; ``s`` and ``V`` are computed in this process, ``U`` in tasks again. The bits
    are those of ``tomobasis decompose``, whatever the partitions.

    Parameters
    ----------
    spark : pyspark.sql.SparkSession
    paths : path, or sequence of them
        As for ``inspect``; the same on every machine that runs tasks.
    groups : int, optional
        Tasks that add up row blocks, from 1; by default as many as take 64 MiB of the scan each.
    threads : int, optional
        Of this process, for ``s`` and ``V``; 0: one per core.
    **options
        Those of ``tomobasis.decompose`` that choose the scan and the decomposition: ``rank``, ``center``, ``series``,
        ``join``, ``padding``. Slices that cannot be used are an error.

    Returns
    -------
    SparkResult

    Raises
    ------
    InputError, FileError
        For an option or an input that cannot be used. A slice that cannot be decoded ends the query with Spark's own
        exception, which has the text.
    """
    if groups is not None and groups < 1:
        raise InputError(f"groups: {groups} is none; give 1 or more")
    for name in FOLDER_OPTIONS:
        if name in options:
            raise InputError(f"{name}: no result folder is written; write u, s and Vt, or use the Spark job")
    if options.get("on_bad_slice", "fail") != "fail":
        raise InputError("on_bad_slice: bad slices are not left out here; use tomobasis.decompose or the Spark job")
    if options.get("method", "gram") != "gram" or "input_format" in options:
        raise InputError("only the exact method, gram, for scans runs here; use tomobasis.decompose or the Spark job")
    words = arguments([os.fspath(path) for path in path_list(paths)], output="-", **options)
    plan, rows, count = _plan(spark, words)
    blocks = _blocks(spark, words, plan, count).persist()
    groups = groups or max(1, -(-rows * count * 2 // GROUP_BYTES))
    state, records = _sums(blocks, rows, count, groups)
    solved = _native.Solved.compute(words, plan, state, records, threads)
    u = _basis(blocks, rows, count, groups, solved).persist()
    by_block = {row["block"]: bytes(row["digest"]) for row in u.select("block", "digest").collect()}
    facts = solved.facts()
    return SparkResult(
        u=u.select("block", "rows", "values"),
        s=solved.s,
        Vt=solved.Vt,
        rank=facts["rank"],
        energy=facts["energy"],
        bounds=facts["bounds"],
        unresolved=tuple(facts["unresolved"]),
        digests=solved.digests([by_block[block] for block in sorted(by_block)]),
        notes=tuple(facts["notes"]),
        _kept=(blocks, u),
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
    import pyarrow as pa

    def projected(table):
        found = []
        for block, stored in _assembled(table, rows, count):
            u, digest = solved.basis(stored)
            found.append((block, len(u), u.astype("<f8", copy=False).tobytes(), digest))
        columns = list(zip(*found, strict=True)) or [[]] * 4
        kinds = {"block": pa.int32(), "rows": pa.int32(), "values": pa.binary(), "digest": pa.binary()}
        return pa.table({name: pa.array(c, kind) for (name, kind), c in zip(kinds.items(), columns, strict=True)})

    schema = "block int, rows int, values binary, digest binary"
    return _grouped(blocks, groups).applyInArrow(projected, schema)
