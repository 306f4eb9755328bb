"""A result folder -> arrays, read by pyarrow."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Result:
    """`s` (k), `v` (n x k), `u` (m x k) and the manifest of a result folder."""

    manifest: dict
    s: np.ndarray
    v: np.ndarray
    u: np.ndarray


def vectors(table, column):
    """A column of fixed-size lists as a 2-D float64 array."""
    lists = table.column(column).combine_chunks()
    return lists.flatten().to_numpy().reshape(len(lists), -1)


def read(folder):
    folder = Path(folder)
    assert (folder / "_SUCCESS").exists(), f"{folder} holds no finished result"
    manifest = json.loads((folder / "manifest.json").read_text())
    folder /= manifest["run"].get("folder", "")
    singular = pq.read_table(folder / "singular_values.parquet")
    weights = pq.read_table(folder / "weights.parquet")
    parts = [pq.read_table(p) for p in sorted((folder / "basis").glob("part-*.parquet"))]
    parts.sort(key=lambda t: t.column("block")[0].as_py())
    return Result(
        manifest,
        singular.column("sigma").to_numpy(),
        vectors(weights, "weights"),
        np.concatenate([vectors(t, "values") for t in parts]),
    )
