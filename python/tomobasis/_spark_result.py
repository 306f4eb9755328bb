"""What a decomposition in Spark gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame


@dataclass(frozen=True, eq=False)
class SparkResult:
    """A scan's decomposition, whose basis vectors are in a DataFrame: ``A = U @ diag(s) @ Vt``, A being pixels x slices."""

    u: DataFrame = field(repr=False)
    """Left singular vectors: for each pixel its ``row`` and row ``block``, from 0, and ``values``, k float64."""
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
    output: str | None
    """The result folder, where one was asked for."""
    _forget: Callable[[], object] = field(repr=False)

    @property
    def digest(self) -> str:
        """The root digest: that of ``tomobasis decompose`` for the same scan and options."""
        return self.digests["root"]

    def U(self) -> NDArray[np.float64]:
        """All basis vectors, pixels x k, collected to this process."""
        values = self.u.orderBy("row").select("values").toArrow().column(0).combine_chunks()
        return values.flatten().to_numpy(zero_copy_only=False).reshape(len(values), -1)

    def unpersist(self) -> None:
        """Lets Spark forget the row blocks that it keeps for ``u``, which is not to be used afterward."""
        self._forget()
