"""Row blocks of a scan in Spark's tasks, and what tasks send back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _errors, _native
from ._errors import InputError, RunError
from ._native import BLOCK_ROWS

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    Batches = Iterator[pa.RecordBatch]
    Block = tuple[int, NDArray[np.int16], bytes]

# Bytes of row blocks that one task has.
GROUP_BYTES = 64 << 20
# Slices that one task decodes, and those of them that it decodes at a time.
SLICES_PER_TASK = 16
SLICES_AT_ONCE = 4
# Bytes that a row of an answer has at the most: Spark Connect sends no row of more than 128 MiB.
PIECE = 4 << 20
# Bytes that tasks may need besides their rows. Over Spark Connect they go with the query, which has the same limit.
MOST_SENT = 96 << 20
MOST_BROADCAST = 2**31 - 1

# Pixels of a slice in a row block, as int16, and what decoding said of the slice. `place` is that of the block in its partition.
PIECES = "part int, place int, block int, slice int, values binary, record binary"
# What tasks send: pieces of what is called so, the last of which says that it is.
SENT = "kind string, name string, last boolean, data binary"


@dataclass(frozen=True)
class Blocks:
    """The row blocks of a planned scan, which stay in Spark: some in each partition, in their order."""

    spark: Any
    words: list[str]
    plan: str
    rows: int
    """Pixels of a slice."""
    count: int
    """Slices."""
    blocks: int
    parts: int
    frame: DataFrame

    @property
    def most_sent(self) -> int:
        return MOST_SENT if is_remote(self.spark) else MOST_BROADCAST

    def answers(
        self, work: Callable[[Iterator[Block]], Batches], of: tuple[int, int, int, int] | None = None
    ) -> Iterator[tuple[str, str, list[bytes]]]:
        """What ``work`` sends of the blocks of each partition; ``of`` some of them: partitions and places, each from and to."""
        rows, count, frame = self.rows, self.count, self.frame
        if of is not None:
            frame = frame.where(f"part >= {of[0]} and part < {of[1]} and place >= {of[2]} and place < {of[3]}")

        def answered(batches):
            yield from telling(work(row_blocks(batches, rows, count)))

        return received(self.spark, frame.mapInArrow(answered, SENT))


def is_remote(spark: Any) -> bool:
    """Whether a session is one of Spark Connect."""
    return getattr(spark, "_jvm", None) is None


def plan(spark: Any, words: list[str]) -> tuple[str, int, int]:
    """The plan of the scan, by one task; pixels and number of its slices."""

    def plans():
        for text in _native.plans(words, False, 0, None):
            yield sent("plan", "", text.encode())

    def planned(batches):
        for batch in batches:
            if batch.num_rows:
                yield from telling(plans(), _errors.TomoBasisError)

    frame = spark.range(1).mapInArrow(planned, SENT)
    [(_, _, pieces)] = received(spark, frame)
    text = b"".join(pieces).decode()
    found = json.loads(text)
    return text, found["rows"] * found["columns"], len(found["slices"])


def row_blocks_of(spark: Any, words: list[str], text: str, rows: int, count: int, groups: int | None) -> Blocks:
    """Slices decoded by tasks and cut; one shuffle brings the pieces of a block together."""
    import pyarrow as pa

    blocks = -(-rows // BLOCK_ROWS)
    parts = min(groups or max(1, -(-rows * count * 2 // GROUP_BYTES)), blocks)
    part = np.arange(blocks, dtype=np.int64) * parts // blocks
    first_blocks = np.searchsorted(part, range(parts))
    place = np.arange(blocks) - first_blocks[part]

    def decoded(batches):
        for batch in batches:
            slices = batch.column(0).to_pylist()
            for first in range(0, len(slices), SLICES_AT_ONCE):
                some = slices[first : first + SLICES_AT_ONCE]
                try:
                    pixels, records = _native.slices(words, text, some, 1)
                except InputError as error:
                    # As a row of each partition, before all others: Spark would try again, and bury our words in its own.
                    said = [str(error).encode()] * parts
                    yield _piece(pa, range(parts), [0] * parts, first_blocks, some[0] - count, said, b"")
                    continue
                for index, values, record in zip(some, pixels, records, strict=True):
                    cut = [values[i : i + BLOCK_ROWS].tobytes() for i in range(0, rows, BLOCK_ROWS)]
                    yield _piece(pa, part, place, range(blocks), index, cut, record)

    tasks = -(-count // SLICES_PER_TASK)
    # Spark takes what it keeps of one query for another that looks the same, and the pixels may have changed since.
    numbers = spark.range(0, count, 1, tasks).selectExpr("id", f"'{uuid.uuid4().hex}' AS call")
    frame = numbers.mapInArrow(decoded, PIECES)
    frame = frame.repartitionById(parts, "part").sortWithinPartitions("block", "slice")
    return Blocks(spark, words, text, rows, count, blocks, parts, frame.persist())


def _piece(pa, part, place, block, index, values, record):
    columns = {
        "part": pa.array(part, pa.int32()),
        "place": pa.array(place, pa.int32()),
        "block": pa.array(block, pa.int32()),
        "slice": pa.array([index] * len(values), pa.int32()),
        "values": pa.array(values, pa.binary()),
        "record": pa.array([record] * len(values), pa.binary()),
    }
    return pa.RecordBatch.from_pydict(columns)


def row_blocks(batches: Batches, rows: int, count: int) -> Iterator[Block]:
    """Each row block of a partition: its index, its pixels (slices x rows), the records of all slices."""
    block, stored, records = -1, np.empty((0, 0), np.int16), []
    for batch in batches:
        blocks, slices, values, found = (batch.column(name) for name in ("block", "slice", "values", "record"))
        for at, (index, number) in enumerate(zip(blocks.to_pylist(), slices.to_pylist(), strict=True)):
            if number < 0:
                raise InputError(values[at].as_py().decode())
            if not records:
                block, stored = index, np.empty((count, min(BLOCK_ROWS, rows - index * BLOCK_ROWS)), np.int16)
            if (index, number) != (block, len(records)):
                raise _lost(block)
            stored[number] = np.frombuffer(values[at].as_buffer(), "<i2")
            records.append(found[at].as_py())
            if len(records) == count:
                yield block, stored, b"".join(records)
                records = []
    if records:
        raise _lost(block)


def _lost(block):
    return RunError(f"row block {block}: slices are missing; the session lost some of its data")


def sent(kind: str, name: str, *data: bytes) -> pa.RecordBatch:
    """What a task sends, in pieces of a few MiB."""
    import pyarrow as pa

    pieces = [piece[first : first + PIECE] for piece in data for first in range(0, max(1, len(piece)), PIECE)]
    columns = {
        "kind": [kind] * len(pieces),
        "name": [name] * len(pieces),
        "last": [False] * (len(pieces) - 1) + [True],
        "data": pa.array(pieces, pa.binary()),
    }
    return pa.RecordBatch.from_pydict(columns)


def telling(batches: Batches, errors: type[Exception] = InputError) -> Batches:
    """The same; these errors as rows: of an exception in a task the caller would get Spark's, with our words somewhere in it.

    Others may be over when Spark tries again.
    """
    try:
        yield from batches
    except errors as error:
        yield sent("error", type(error).__name__, str(error).encode())


def received(spark: Any, frame: DataFrame) -> Iterator[tuple[str, str, list[bytes]]]:
    """What tasks sent: its kind, its name, its pieces. Over Spark Connect it is here as it comes, else all at once."""
    pieces: list[bytes] = []
    for row in frame.toLocalIterator() if is_remote(spark) else frame.collect():
        pieces.append(bytes(row["data"]))
        if not row["last"]:
            continue
        if row["kind"] == "error":
            raise getattr(_errors, row["name"])(b"".join(pieces).decode())
        yield row["kind"], row["name"], pieces
        pieces = []
