"""Scans: what series there are, one as an array."""

from __future__ import annotations

import html
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _native
from ._arguments import arguments, path_list, path_of, refuse_masked
from ._errors import FileError, InputError
from ._optional import optional
from ._progress import close, reporter

if TYPE_CHECKING:
    import nibabel
    import pandas
    from numpy.typing import NDArray

    from ._arguments import Paths
    from ._linalg import Progress


class SeriesTable(Sequence[Mapping[str, Any]]):
    """The series of an input: a sequence of mappings, shown as a table. ``docs/dicom.md`` has the fields."""

    def __init__(self, listing: Mapping[str, Any]):
        self.files: Mapping[str, Any] = listing["files"]
        """How many files there are of each kind."""
        self.unusable: Sequence[Any] = listing["unusable"]
        """What cannot be used, and why."""
        self._series = listing["series"]

    def __len__(self) -> int:
        return len(self._series)

    def __getitem__(self, index):
        return self._series[index]

    def to_pandas(self) -> pandas.DataFrame:
        """The table as a DataFrame of pandas, which must be installed."""
        return optional("pandas", "to_pandas").DataFrame(self._series)

    def _rows(self):
        for series in self:
            size = f"{series['slices']} x {series['rows']} x {series['columns']}"
            spacing = [*(series["pixel_spacing_mm"] or [None, None]), series["slice_spacing_mm"]]
            mm = " x ".join("?" if step is None else f"{step:.4g}" for step in reversed(spacing))
            yield [series["id"], series["modality"], series["plane"], size, mm, "; ".join(series["problems"])]

    def __repr__(self) -> str:
        return "\n".join("  ".join(row) for row in self._rows())

    def _repr_html_(self) -> str:
        names = ["id", "modality", "plane", "slices x rows x columns", "mm", "problems"]
        return html_table(names, self._rows())


def html_table(names, rows) -> str:
    """A table of text, escaped."""
    line = "<tr>{}</tr>".format
    head = line("".join(f"<th>{html.escape(name)}</th>" for name in names))
    body = (line("".join(f"<td>{html.escape(str(cell))}</td>" for cell in row)) for row in rows)
    return f"<table>{head}{''.join(body)}</table>"


def inspect(paths: Paths, *, threads: int = 0, progress: Progress = None) -> SeriesTable:
    """The series in folders, archives or files, as ``tomobasis inspect`` lists them; reads headers only.

    Parameters
    ----------
    paths : path, or sequence of them
        Folders of DICOM files, zip or tar archives of such a folder, or files.
    threads, progress
        As for ``svd``.

    Returns
    -------
    SeriesTable
        No patient data: a series is named by a salted ``id``, which ``read`` and ``decompose`` take.

    Raises
    ------
    FileError
        Where there is no such path.
    InputError
        Where nothing is a slice.

    Examples
    --------
    >>> table = tomobasis.inspect("scans/head")  # doctest: +SKIP
    >>> table[0]["slices"]  # doctest: +SKIP
    301
    """
    report = reporter(progress)
    try:
        return SeriesTable(json.loads(_native.inspect(path_list(paths), threads, report)))
    finally:
        close(report)


@dataclass(frozen=True, eq=False)
class Scan:
    """A series in memory, its slices in spatial order."""

    stored: NDArray[np.int16]
    """Stored pixels less ``offset``, slices x rows x columns. Read-only: ``digest`` is that of these."""
    slope: NDArray[np.float64]
    """Rescale Slope of each slice."""
    intercept: NDArray[np.float64]
    """Rescale Intercept of each slice."""
    offset: NDArray[np.int32]
    """What was taken off the pixels of each slice so that they fit int16: 0 or 32768."""
    origins: NDArray[np.float64]
    """Center of the first pixel of each slice, slices x 3, mm: left, posterior, superior (DICOM's axes)."""
    positions: NDArray[np.float64]
    """Position of each slice along the normal, mm, ascending."""
    orientation: NDArray[np.float64]
    """Direction along a row and along a column, 2 x 3."""
    pixel_spacing: tuple[float, float] | None
    """Distance between rows and between columns, mm; None where the headers do not say it."""
    slice_spacing: float | None
    """Median distance between slices, mm; None for a single position."""
    tilt: float
    """Gantry tilt, degrees."""
    unit: str
    """Of the rescaled values: ``HU``, or what Rescale Type says."""
    modality: str
    id: str
    """Salted id, as ``inspect`` shows it."""
    window: tuple[float, float] | None
    """Window center and width of the middle slice."""
    digest: str = field(repr=False)
    """SHA-256 of the stored pixels: ``digests["pixels"]`` of a result."""
    padding: Literal["air", "keep", "mask"]
    """What became of pixels that hold nothing, as ``read`` was asked."""
    notes: Sequence[str] = field(repr=False)
    """What is to be told of the series: what was left out, replaced, or is odd."""

    @property
    def hu(self) -> NDArray[Any]:
        """The rescaled values, slices x rows x columns, in ``unit``: int16 where all of them are such integers, else
        float64. A copy, but for a scan that is stored so (then read-only)."""
        if not (self.offset.any() or self.intercept.any() or (self.slope != 1).any()):
            return self.stored
        low, high = (pick(pick(self.stored, axis=2), axis=1) + self.offset for pick in (np.min, np.max))
        ends = np.stack([low, high]) * self.slope + self.intercept
        whole = (self.slope % 1 == 0).all() and (self.intercept % 1 == 0).all()
        if whole and ends.min() >= -32768 and ends.max() <= 32767:
            kind, wide = np.int16, np.int32
        else:
            kind, wide = np.float64, np.float64
        values = np.empty(self.stored.shape, kind)
        # Slice by slice: what is between stays in the cache.
        linear = zip(self.offset.astype(wide), self.slope.astype(wide), self.intercept.astype(wide), strict=True)
        for to, stored, (offset, slope, intercept) in zip(values, self.stored, linear, strict=True):
            to[:] = (stored.astype(wide) + offset) * slope + intercept
        return values

    @property
    def affine(self) -> NDArray[np.float64]:
        """From (column, row, slice), counted from 0, to mm on DICOM's axes (left, posterior, superior), 4 x 4.

        The third column is the mean step from slice to slice, so that a tilted gantry shears it.

        Raises
        ------
        InputError
            Where the headers lack the pixel spacing, or the slices are not evenly spaced (1 % of the spacing).
        """
        if self.pixel_spacing is None:
            raise InputError("affine: the headers do not say the pixel spacing")
        count = len(self.origins)
        between_rows, between_columns = self.pixel_spacing
        along_row, along_column = self.orientation
        step = np.cross(along_row, along_column) * between_rows
        if count > 1:
            step = (self.origins[-1] - self.origins[0]) / (count - 1)
            line = self.origins[0] + np.arange(count)[:, None] * step
            off = np.linalg.norm(self.origins - line, axis=1).max()
            if off > 0.01 * np.linalg.norm(step):
                raise InputError(f"affine: a slice lies {off:.3g} mm beside an even spacing; see origins")
        affine = np.eye(4)
        affine[:3] = np.column_stack([along_row * between_columns, along_column * between_rows, step, self.origins[0]])
        return affine

    def to_nifti(self, path=None, values=None) -> nibabel.Nifti1Image:
        """The scan as a NIfTI image, by nibabel, which must be installed.

        Axes and affine are dcm2niix's: columns, rows from the last to the first, slices; millimeters to the right,
        anterior and superior.

        Parameters
        ----------
        path : path, optional
            Where to save it too: ``.nii`` or ``.nii.gz``. A file of this name is replaced.
        values : numpy.ndarray, slices x rows x columns, optional
            Other values of the same places, such as a composite; ``hu`` by default.
        """
        nibabel = optional("nibabel", "to_nifti")
        target = None if path is None else _nifti_path(path)
        refuse_masked(values, "values")
        values = self.hu if values is None else np.asarray(values)
        if not (values.dtype.kind in "iuf" and values.dtype.itemsize <= 8) or values.dtype.str[1:] in ("i8", "u8"):
            raise InputError(f"values: an array of type {values.dtype}; give integers of up to 32 bits, or floats")
        if values.shape != self.stored.shape:
            raise InputError(f"values: an array of {values.shape}, and the scan is {self.stored.shape}")
        to_last_row = np.eye(4)
        to_last_row[1, 1], to_last_row[1, 3] = -1, values.shape[1] - 1
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ self.affine @ to_last_row
        image = nibabel.Nifti1Image(values[:, ::-1].transpose(2, 1, 0), affine)
        image.header.set_xyzt_units("mm")
        image.set_sform(affine, 1)
        if self.tilt < 0.01:
            image.set_qform(affine, 1)
        else:
            image.set_qform(None, 0)  # It cannot hold a shear.
        if target is not None:
            _save(image, target)
        return image


def _nifti_path(path) -> Path:
    """Where an image is saved, by the names that NIfTI-1 has in one file."""
    target = Path(path_of(path, "path"))
    if not target.name.endswith((".nii", ".nii.gz")):
        raise InputError("path: an image is saved as .nii or .nii.gz; give a name that ends so")
    return target


def _save(image, target: Path) -> None:
    """Saves an image beside its place, then moves it there, so that a file is whole or not there."""
    nibabel = optional("nibabel", "to_nifti")
    beside = target.with_name(f".{secrets.token_hex(4)}-{target.name}")
    try:
        nibabel.save(image, beside)
        os.replace(beside, target)
    except OSError as error:
        raise FileError(f"path: cannot be written ({error.strerror}); give another place") from None
    finally:
        beside.unlink(missing_ok=True)


def read(
    paths: Paths,
    series: str | None = None,
    *,
    join: bool = False,
    on_bad_slice: Literal["fail", "skip"] = "fail",
    padding: Literal["air", "keep", "mask"] = "air",
    threads: int = 0,
    progress: Progress = None,
) -> Scan:
    """A series as an array.

    Parameters
    ----------
    paths : path, or sequence of them
        As for ``inspect``.
    series : str, optional
        Its id as ``inspect`` shows it, its UID, or ``"largest"``; by default the only one.
    join, on_bad_slice, padding
        As the options of ``tomobasis decompose``.
    threads, progress
        As for ``svd``.

    Returns
    -------
    Scan

    Raises
    ------
    FileError
        Where there is no such path, or a file cannot be read.
    InputError
        For what is no series, or whose slices cannot be used.

    Examples
    --------
    >>> scan = tomobasis.read("scans/head")  # doctest: +SKIP
    >>> scan.hu.shape, scan.slice_spacing  # doctest: +SKIP
    ((301, 512, 512), 0.625)
    """
    # There is no output; the option is one that must be given.
    words = arguments(paths, output="-", series=series, join=join, on_bad_slice=on_bad_slice, padding=padding)
    report = reporter(progress)
    try:
        stored, text = _native.read(words, threads, report)
    finally:
        close(report)
    found = json.loads(text)
    slices = found.pop("slices")

    def of(name, dtype=np.float64):
        return np.array([one[name] for one in slices], dtype=dtype)

    stored.flags.writeable = False
    spacing, window = found["pixel_spacing_mm"], found["window"]
    return Scan(
        stored=stored,
        slope=of("slope"),
        intercept=of("intercept"),
        offset=of("offset", np.int32),
        origins=of("origin_mm"),
        positions=of("position_mm"),
        orientation=np.array(found["orientation"]).reshape(2, 3),
        pixel_spacing=None if spacing is None else tuple(spacing),
        slice_spacing=found["slice_spacing_mm"],
        tilt=found["tilt_degrees"],
        unit=found["unit"],
        modality=found["modality"],
        id=found["id"],
        window=None if window is None else tuple(window),
        digest=found["digest"],
        padding=padding,
        notes=tuple(found["notes"]),
    )
