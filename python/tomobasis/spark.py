"""Scans and matrices in DataFrames of Spark: classic sessions and Spark Connect alike.

Exact sums of a DataFrame's rows by mapInArrow and applyInArrow, a data source of DICOM slices, and the decomposition of
a scan with the digests of ``tomobasis decompose``. Needs PySpark 4.1 or later; the package must be installed where the
tasks run. No code of ours has to be in Spark's JVM; where the library is, ``decompose`` uses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._arguments import groups_of
from ._dicom_source import DicomDataSource
from ._errors import InputError
from ._native import FloatGramState, FloatRanges, GramFactors, GramState
from ._spark_result import SparkResult
from ._spark_scan import decompose

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    Sums = FloatRanges | FloatGramState | GramState

__all__ = ["DicomDataSource", "SparkResult", "decompose", "float_ranges", "gram_state", "project"]


def float_ranges(df: DataFrame, column: str, columns: int, groups: int = 8) -> FloatRanges:
    """The ranges of a matrix of floats whose rows are those of a DataFrame.

    Parameters
    ----------
    df, column, columns, groups
        As for ``gram_state``.

    Returns
    -------
    FloatRanges
    """
    return _total(df, column, columns, groups, FloatRanges, columns)


def gram_state(
    df: DataFrame, column: str, columns: int, groups: int = 8, ranges: FloatRanges | None = None
) -> GramState | FloatGramState:
    """The exact sums of a matrix whose rows are those of a DataFrame.

    Each task adds up the rows of its partition; ``groups`` tasks add up those sums, and the driver the rest. The bits do
    not depend on partitions, their order or retries.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
    column : str
        A column of arrays of ``columns`` numbers: one row of the matrix each. Without ``ranges``, integers from -32768 to
        32767, or from 0 to 65535.
    columns : int
        Columns of the matrix, n.
    groups : int, optional
        Into how many groups the partitions' sums go on their way, from 1.
    ranges : FloatRanges, optional
        Of any finite floats: what ``float_ranges`` found of the same rows.

    Returns
    -------
    GramState, or FloatGramState with ``ranges``

    Raises
    ------
    InputError
        For a number of groups that is none. What a task refuses ends the query with Spark's own exception, which has
        the text.
    """
    if ranges is None:
        return _total(df, column, columns, groups, GramState, columns)
    return _total(df, column, columns, groups, FloatGramState, ranges)


def _total(df: DataFrame, column: str, columns: int, groups: int, kind: Callable[[Any], Sums], of: Any) -> Any:
    """What a class of exact sums makes of all rows."""
    import pyarrow as pa
    from pyspark.sql import functions

    groups = groups_of(groups)

    def sums_of(batches):
        state = kind(of)
        for batch in batches:
            if batch.num_rows:
                state.update(_rows(batch.column(0), columns))
        yield pa.RecordBatch.from_pydict({"state": [state.to_bytes()]}, pa.schema([("state", pa.binary())]))

    def merged(table):
        state = kind(of)
        for part in table.column("state").to_pylist():
            state.merge(kind.from_bytes(part))
        return pa.table({"state": pa.array([state.to_bytes()], pa.binary())})

    parts = df.select(column).mapInArrow(sums_of, "state binary")
    group = functions.crc32("state") % groups
    parts = parts.groupBy(group.alias("group")).applyInArrow(merged, "state binary")
    total = kind(of)
    for row in parts.collect():
        total.merge(kind.from_bytes(bytes(row["state"])))
    return total


def project(df: DataFrame, column: str, factors: GramFactors, name: str = "u") -> DataFrame:
    """The DataFrame with the rows of ``U`` in another column, as arrays of k float64.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
    column : str
        As for ``gram_state``.
    factors : GramFactors
        What ``GramState.finish`` or ``FloatGramState.finish`` returned.
    name : str, optional
        Of the new column.
    """
    import pyarrow as pa
    from pyspark.sql.types import ArrayType, DoubleType, StructType

    if column not in df.columns:
        raise InputError(f"column: the DataFrame has none named {column!r}; select it under a name first")
    if name.lower() in (other.lower() for other in df.columns):
        raise InputError(f"name: the DataFrame has a column {name!r} already; give another name")
    place, columns = df.columns.index(column), factors.Vt.shape[1]

    def projected(batches):
        for batch in batches:
            if batch.num_rows == 0:
                continue
            u = factors.project(_rows(batch.column(place), columns), threads=1)
            offsets = pa.array([row * u.shape[1] for row in range(len(u) + 1)], pa.int32())
            yield batch.append_column(name, pa.ListArray.from_arrays(offsets, pa.array(u.ravel())))

    schema = StructType([*df.schema.fields]).add(name, ArrayType(DoubleType()))
    return df.mapInArrow(projected, schema)


def _rows(arrays, columns):
    """The rows of a matrix, from a column of arrays of one length."""
    import pyarrow.compute as compute

    if len(arrays) and (arrays.null_count or compute.list_value_length(arrays).unique().to_pylist() != [columns]):
        raise InputError(f"every array of the column must have {columns} values, and none may be null")
    values = arrays.flatten()
    if values.null_count:
        raise InputError("an array of the column has a null; give numbers")
    return values.to_numpy(zero_copy_only=False).reshape(-1, columns)
