"""Slices of DICOM series as rows: a data source of Spark in Python."""

from __future__ import annotations

import json
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import (
    DataSource,
    DataSourceReader,
    EqualNullSafe,
    EqualTo,
    Filter,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    InputPartition,
    IsNotNull,
    IsNull,
    LessThan,
    LessThanOrEqual,
    Not,
    StringContains,
    StringEndsWith,
    StringStartsWith,
)

from . import _native
from ._arguments import arguments
from ._errors import InputError

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql.types import StructType

# What the headers say, and what becomes of it here; nothing of the patient.
METADATA = {
    "series": "string",
    "slice": "int",
    "slices": "int",
    "modality": "string",
    "rows": "int",
    "columns": "int",
    "unit": "string",
    "position_mm": "double",
    "origin_mm": "array<double>",
    "orientation": "array<double>",
    "pixel_spacing_mm": "array<double>",
    "slice_spacing_mm": "double",
    "tilt_degrees": "double",
    "slope": "double",
    "intercept": "double",
    "offset": "int",
    "instance_number": "long",
    "transfer_syntax": "string",
    "bits_stored": "int",
    "file": "string",
    "frame": "int",
}
PIXELS = {"pixels": "binary"}
# By option only. The last four are read by pydicom, of files that are in no archive.
PATIENT = {
    "series_instance_uid": "string",
    "sop_instance_uid": "string",
    "path": "string",
    "patient_id": "string",
    "patient_name": "string",
    "patient_birth_date": "string",
    "study_date": "string",
}
KEYWORDS = {
    "patient_id": "PatientID",
    "patient_name": "PatientName",
    "patient_birth_date": "PatientBirthDate",
    "study_date": "StudyDate",
}
FLAGS = {"true": True, "false": False}
# Slices whose pixels are in one batch.
BATCH = 8

COMPARISONS: dict[type, Callable[[Any, Any], bool]] = {
    EqualTo: operator.eq,
    EqualNullSafe: operator.eq,
    GreaterThan: operator.gt,
    GreaterThanOrEqual: operator.ge,
    LessThan: operator.lt,
    LessThanOrEqual: operator.le,
    In: lambda value, values: value in values,
    StringContains: lambda value, part: part in value,
    StringStartsWith: str.startswith,
    StringEndsWith: str.endswith,
}


class DicomDataSource(DataSource):
    """``format("dicom")``: one row for each slice of the series in a folder, archive or file.

    Register it with ``spark.dataSource.register(DicomDataSource)``; the package must be installed where the tasks run,
    and the path be there. Columns: those of ``METADATA`` (docs/python.md), of the header alone; ``pixels``, the stored
    pixels less ``offset`` as little-endian int16, row by row, only where they are asked for, by ``.schema("slice int,
    pixels binary")`` or the option ``pixels``. Nothing of the patient, unless the option ``patient_data`` is true.

    Options
    -------
    path
        As ``load`` gives it.
    series
        One series, as for ``read``; all by default.
    join, on_bad_slice, padding
        As for ``read``; slices that cannot be decoded are an error also with ``on_bad_slice=skip``.
    pixels : true or false
        Whether the columns, where no schema is given, include ``pixels``.
    patient_data : true or false
        Whether columns that identify a patient may be asked for.
    slices_per_partition
        Slices that one task decodes, 32 by default.

    Raises
    ------
    InputError, FileError
        As ``read``; for an option or a column that there is not. Spark's exception has the text.
    """

    @classmethod
    def name(cls) -> str:
        """The name of the format."""
        return "dicom"

    def schema(self) -> str:
        """The columns that are read where no schema is given."""
        columns = METADATA | (PIXELS if self._flag("pixels") else {}) | (PATIENT if self._flag("patient_data") else {})
        return ", ".join(f"`{name}` {kind}" for name, kind in columns.items())

    def reader(self, schema: StructType) -> DicomReader:
        """The reader of these columns."""
        kind = FilteringReader if _are_filters_pushed() else DicomReader
        return kind(self._arguments(), schema, self._flag("patient_data"), self._per_partition())

    def _flag(self, name: str) -> bool:
        text = self.options.get(name, "false")
        if text.lower() not in FLAGS:
            raise InputError(f"{name}: {text!r} is neither true nor false")
        return FLAGS[text.lower()]

    def _per_partition(self) -> int:
        text = self.options.get("slices_per_partition", "32")
        if not text.isdecimal() or int(text) < 1:
            raise InputError(f"slices_per_partition: {text!r} is not a number of slices; give 1 or more")
        return int(text)

    def _arguments(self) -> list[str]:
        known = {"path", "series", "join", "on_bad_slice", "padding", "pixels", "patient_data", "slices_per_partition"}
        if unknown := sorted({name.lower() for name in self.options} - known):
            raise InputError(f"{unknown[0]}: there is no such option; give one of {', '.join(sorted(known))}")
        if "path" not in self.options:
            raise InputError("path: give a folder, archive or file to load")
        rest = {name: self.options.get(name) for name in ("series", "on_bad_slice", "padding")}
        return arguments(self.options["path"], output="-", join=self._flag("join"), **rest)


def _are_filters_pushed() -> bool:
    """Whether Spark asks for a reader in order to push filters into it.

    A reader that has ``pushFilters`` is refused by Spark where ``spark.sql.python.filterPushdown.enabled`` is off, which a
    data source is not told otherwise.
    """
    frame = sys._getframe(1)
    while frame is not None:
        if Path(frame.f_code.co_filename).name == "data_source_pushdown_filters.py":
            return True
        frame = frame.f_back
    return False


class DicomReader(DataSourceReader):
    """Plans the slices on the driver, by their headers, and decodes them in tasks."""

    def __init__(self, words: list[str], schema: StructType, patient_data: bool, per_partition: int):
        self.words, self.schema, self.per_partition = words, schema, per_partition
        self.filters: list[Filter] = []
        offered = METADATA | PIXELS | PATIENT
        for field in schema:
            if field.name not in offered:
                raise InputError(f"{field.name}: there is no such column; there are {', '.join(offered)}")
            kind = "long" if offered[field.name] == "long" else offered[field.name]
            if field.dataType.simpleString().replace("bigint", "long") != kind:
                raise InputError(f"{field.name}: it is {kind}, not {field.dataType.simpleString()}; change the schema")
            if field.name in PATIENT and not patient_data:
                raise InputError(
                    f"{field.name}: it can identify a patient; to read it set the option patient_data to true"
                )
        self.names = [field.name for field in schema]

    def partitions(self) -> Sequence[InputPartition]:
        """Slices that one task reads: those of a file together, none that a filter leaves out."""
        chosen = any(word.startswith("--series=") for word in self.words)
        identifying = any(name in PATIENT for name in self.names)
        parts: list[InputPartition] = []
        for text in _native.plans(self.words, not chosen, 0, None):
            rows = json.loads(_native.slice_rows(text, self.words, identifying))
            rows = [row for row in rows if all(passes(one, row) for one in self.filters)]
            if not rows:
                continue
            if "pixels" not in self.names:
                parts.append(InputPartition(("", rows)))
                continue
            plan = json.loads(text)
            slices = plan["slices"]
            rows.sort(key=lambda row: (slices[row["slice"]]["file"], row["frame"]))
            for first in range(0, len(rows), self.per_partition):
                some = rows[first : first + self.per_partition]
                part = {**plan, "slices": [slices[row["slice"]] for row in some], "copies": [], "left_out": []}
                parts.append(InputPartition((json.dumps(part), some)))
        return parts or [InputPartition(("", []))]

    def read(self, partition: InputPartition) -> Iterator[pyarrow.RecordBatch]:
        """The rows of a partition."""
        import pyarrow as pa
        from pyspark.sql.pandas.types import to_arrow_schema

        plan, rows = partition.value
        schema = to_arrow_schema(self.schema)
        step = BATCH if plan else max(len(rows), 1)
        for first in range(0, len(rows), step):
            some = [dict(row) for row in rows[first : first + step]]
            if plan:
                pixels, _ = _native.slices(self.words, plan, list(range(first, first + len(some))), 1)
                for row, values in zip(some, pixels, strict=True):
                    row["pixels"] = values.astype("<i2", copy=False).tobytes()
            if any(name in KEYWORDS for name in self.names):
                for row in some:
                    row.update(of_patient(row["path"]))
            columns = {name: pa.array([row[name] for row in some], schema.field(name).type) for name in self.names}
            yield pa.RecordBatch.from_pydict(columns, schema)


def passes(one: Filter, row: dict[str, Any]) -> bool:
    """Whether a row passes a filter: as in SQL, a comparison with null is never true, nor is its opposite."""
    if isinstance(one, Not):
        inner = one.child
        if isinstance(inner, (IsNull, IsNotNull, EqualNullSafe)):
            return not passes(inner, row)
        return row[inner.attribute[0]] is not None and not passes(inner, row)
    value = row[one.attribute[0]]
    if isinstance(one, IsNull):
        return value is None
    if isinstance(one, IsNotNull):
        return value is not None
    if isinstance(one, EqualNullSafe):
        return value == one.value
    return value is not None and COMPARISONS[type(one)](value, one.value)


def of_patient(path: str | None) -> dict[str, str | None]:
    """What the header of a file says of the patient; nothing of a file in an archive."""
    if path is None:
        return dict.fromkeys(KEYWORDS)
    import pydicom

    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(KEYWORDS.values()))
    return {name: str(header.get(keyword) or "") or None for name, keyword in KEYWORDS.items()}


class FilteringReader(DicomReader):
    """One that leaves out slices by filters on metadata before they are decoded."""

    def pushFilters(self, filters: list[Filter]) -> Iterable[Filter]:
        """Takes the filters on metadata, and gives back the others."""
        for one in filters:
            inner = one.child if isinstance(one, Not) else one
            kind = METADATA.get(inner.attribute[0], "") if len(inner.attribute) == 1 else ""
            if kind in ("string", "int", "long", "double") and isinstance(inner, (*COMPARISONS, IsNull, IsNotNull)):
                self.filters.append(one)
            else:
                yield one
