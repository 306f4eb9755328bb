"""The result folder of a scan that Spark's tasks decomposed: files come from the tasks and are written by this process."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import _native
from ._errors import InputError
from ._spark_blocks import SENT, SLICES_PER_TASK, Blocks, is_remote, received, row_blocks, sent, telling

# Bytes of files that one query brings: Spark keeps what has not left it in the driver's memory, and refuses more than
# spark.driver.maxResultSize, 1 GiB by default.
RESULT_BYTES = 512 << 20
# What went wrong in place of a band, where it is refused.
BANDS = "run int, band binary, refused string"


class Stopwatch:
    """Seconds of each stage."""

    def __init__(self) -> None:
        self.timings: dict[str, float] = {}

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.timings[stage] = round(time.monotonic() - began, 3)


def write(
    folder: _native.GatheredFolder,
    blocks: Blocks,
    solved: _native.Solved,
    about: dict[str, Any],
    watch: Stopwatch,
    threads: int,
) -> list[bytes]:
    """Writes all files into the folder and gives it its name; returns the digests of the row blocks."""
    data = solved.to_bytes(blocks.most_sent)
    *_, render, derive = about["stages"]
    with watch.time(render):
        _tables(folder, blocks, data, solved.block_bytes)
    if about["dicom"]:
        with watch.time(derive):
            for composite in range(solved.composites):
                _derived(folder, blocks, solved, data, composite)
    return folder.finish(solved, json.dumps(_environment(blocks, watch)), threads)


def _tables(folder: _native.GatheredFolder, blocks: Blocks, data: bytes, block_bytes: int) -> None:
    """The files of the row blocks, and their bands of the pictures."""

    def rendered(mine):
        solved = _native.Solved.from_bytes(data)
        for block, stored, records in mine:
            files, record, bands = solved.render(block, stored, records)
            for name, pieces in files:
                yield sent("file", name, *pieces)
            yield sent("bands", "", bands)
            yield sent("block", "", record)

    # As many blocks at a time as are so many bytes: of all partitions, where that is more than one of each.
    at_once = max(1, RESULT_BYTES // block_bytes)
    parts = min(blocks.parts, at_once)
    places = max(1, at_once // parts)
    longest = -(-blocks.blocks // blocks.parts)
    for part in range(0, blocks.parts, parts):
        for place in range(0, longest, places):
            files, bands = [], b""
            for kind, name, pieces in blocks.answers(rendered, (part, part + parts, place, place + places)):
                if kind == "file":
                    files.append((name, pieces))
                elif kind == "bands":
                    bands = b"".join(pieces)
                else:
                    folder.add_block(b"".join(pieces), files, bands)
                    files, bands = [], b""


def _derived(
    folder: _native.GatheredFolder, blocks: Blocks, solved: _native.Solved, data: bytes, composite: int
) -> None:
    """The derived DICOM of one composite: a shuffle brings its bands of the row blocks to the tasks that write its slices."""
    import pyarrow as pa

    rows, count, words = blocks.rows, blocks.count, blocks.words
    starts = solved.runs(SLICES_PER_TASK)
    ends = [*starts[1:], count]

    def of_runs(bands, refused):
        columns = {
            "run": pa.array(range(len(starts)), pa.int32()),
            "band": pa.array(bands, pa.binary()),
            "refused": pa.array([refused] * len(starts), pa.string()),
        }
        return pa.RecordBatch.from_pydict(columns)

    def banded(batches):
        solved = _native.Solved.from_bytes(data)
        try:
            for block, stored, records in row_blocks(batches, rows, count):
                yield of_runs(solved.bands(composite, block, stored, records, starts), None)
        except InputError as error:
            yield of_runs([b""] * len(starts), str(error))

    def derived(batches):
        bands: dict[int, list[bytes]] = {}
        for batch in batches:
            for run, band, refused in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if refused is not None:
                    raise InputError(refused)
                bands.setdefault(run, []).append(band)
        solved = _native.Solved.from_bytes(data)
        for run in sorted(bands):
            mine = bands.pop(run)
            for name, content, (size, sha256), records in solved.derive(
                words, composite, (starts[run], ends[run]), mine
            ):
                yield sent("file", name, content)
                yield sent("slices", json.dumps([size, sha256.hex()]), records)

    def told(batches):
        yield from telling(derived(batches))

    bands = blocks.frame.mapInArrow(banded, BANDS).repartitionById(len(starts), "run").persist()
    try:
        at_once = max(1, RESULT_BYTES // (max(end - start for start, end in zip(starts, ends, strict=True)) * rows * 2))
        for first in range(0, len(starts), at_once):
            some = bands.where(f"run >= {first} and run < {first + at_once}").mapInArrow(told, SENT)
            file = ("", [])
            for kind, name, pieces in received(blocks.spark, some):
                if kind == "file":
                    file = (name, pieces)
                else:
                    size, sha256 = json.loads(name)
                    folder.add_derived(file, (size, bytes.fromhex(sha256)), b"".join(pieces))
    finally:
        bands.unpersist()


def _environment(blocks: Blocks, watch: Stopwatch) -> dict[str, Any]:
    """What the manifest says of how it was run."""
    from pyspark.sql import functions

    # A session of Spark Connect says nothing of its cores, but as many partitions are made of a range where no number is given.
    cores = blocks.spark.range(1 << 16).select(functions.spark_partition_id()).distinct().count()
    return {
        "runner": f"spark {blocks.spark.version}",
        "cores": cores,
        "timings": watch.timings,
        "tasks": f"python {platform.python_version()}",
        "connect": is_remote(blocks.spark),
        "decode_partitions": -(-blocks.count // SLICES_PER_TASK),
        "block_partitions": blocks.parts,
    }
