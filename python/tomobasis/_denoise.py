"""Denoising: arrays, and series into folders."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _native
from ._arguments import arguments, number_of, path_of, refuse_masked, text_of
from ._commands import read_manifest, verify
from ._errors import InputError, VerificationError
from ._progress import close, reporter
from ._scans import read

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ._arguments import Paths
    from ._linalg import Progress
    from ._scans import Scan

    Quality = Literal["fast", "default", "best"]


def denoise(
    array: ArrayLike,
    spacing: float,
    strength: float = 0.75,
    quality: Quality = "default",
    *,
    slope: float | Sequence[float] = 1.0,
    intercept: float | Sequence[float] = 0.0,
    pixel_spacing: tuple[float, float] | None = None,
    report: bool = False,
    threads: int = 0,
    progress: Progress = None,
) -> NDArray[Any] | tuple[NDArray[Any], Mapping[str, Any]]:
    """A CT volume with less noise, by the method of ``tomobasis denoise`` (docs/denoise.md): no medical device.

    Parameters
    ----------
    array : array, slices x rows x columns
        Slices in spatial order, whole images. Floats (16, 32 or 64 bits) are HU, read as float32. Integers are stored
        values: ``value * slope + intercept`` is HU, and all values must fit int16, or all uint16. Pixels outside the
        reconstruction must be air (-1000 HU), as ``tomobasis.read`` makes them.
    spacing : float
        Distance of neighboring slices, mm: ``Scan.slice_spacing``.
    strength : float, optional
        Part of what is found to be noise that is removed, 0 to 1.
    quality : {"fast", "default", "best"}, optional
        How much is computed.
    slope, intercept : float, or one for each slice, optional
        Of integers only.
    pixel_spacing : (float, float), optional
        Distance of rows and of columns, mm: then the report says what is left of small discs put into the volume.
    report : bool, optional
        Return the report too.
    threads, progress
        As for ``svd``.

    Returns
    -------
    numpy.ndarray
        A new array of the same shape and type. Integers are rounded, ties to even; the voxels are those of the command,
        bit for bit, where the same stored values mean the same HU.
    Mapping
        With ``report``: ``patch``, ``noise``, ``windows``, ``effect``, ``details`` and ``clipped``, as in the command's
        manifest.

    Warns
    -----
    UserWarning
        Where no noise was found, where its estimate is uncertain, where anatomy may have been removed, where integers were
        clipped.

    Raises
    ------
    InputError
        For an array that is no such volume, or whose noise cannot be estimated.
    KeyboardInterrupt
        At Ctrl-C, between rows.

    Examples
    --------
    >>> scan = tomobasis.read("scans/head")  # doctest: +SKIP
    >>> less_noise = tomobasis.denoise(scan.hu, scan.slice_spacing)  # doctest: +SKIP
    """
    given = _volume(array)
    voxels, bounds, offset = _voxels(given, slope, intercept)
    rescales = [] if bounds is None else _rescales(slope, intercept, offset, len(given))
    pixel = None if pixel_spacing is None else _pixel_spacing(pixel_spacing)
    spacing, strength, quality = (
        number_of(spacing, "spacing"),
        number_of(strength, "strength"),
        text_of(quality, "quality"),
    )
    told = reporter(progress)
    try:
        found, text, remarks = _native.denoise(
            *(voxels, rescales, bounds or (0, 0), spacing, pixel),
            *(strength, quality, threads, told),
        )
    finally:
        close(told)
    for remark in remarks:
        warnings.warn(f"denoise: {remark}", UserWarning, stacklevel=2)
    if given.dtype == np.uint16 and offset:
        found = found.view(np.uint16)
        found ^= np.uint16(32768)
    elif offset:
        found = found.astype(given.dtype) + given.dtype.type(offset)
    found = found.astype(given.dtype, copy=False)
    return (found, json.loads(text)) if report else found


def _volume(array: ArrayLike) -> NDArray[Any]:
    """The array, once it may be a volume."""
    refuse_masked(array, "array")
    given = np.asarray(array)
    if given.ndim != 3:
        raise InputError(f"array: slices x rows x columns are 3 dimensions, not {given.ndim}; reshape it")
    if given.dtype.kind not in "iuf" or given.dtype.itemsize > 8:
        raise InputError(f"array: of type {given.dtype}; give integers, or floats of 16, 32 or 64 bits")
    return given


def _pixel_spacing(given) -> tuple[float, float]:
    """The distances of rows and of columns."""
    try:
        rows, columns = (number_of(one, "pixel_spacing") for one in given)
    except (TypeError, ValueError):
        rows = columns = 0.0
    if isinstance(given, (str, bytes)) or not (0 < rows < np.inf and 0 < columns < np.inf):
        raise InputError("pixel_spacing: give the distance of rows and that of columns, two numbers above zero")
    return rows, columns


def _voxels(given: NDArray[Any], slope, intercept) -> tuple[NDArray[Any], tuple[int, int] | None, int]:
    """Voxels as the native function takes them, the range of stored values (None: HU), and what was taken off these."""
    if given.dtype.kind == "f":
        if np.ndim(slope) or np.ndim(intercept) or slope != 1 or intercept != 0:
            raise InputError("slope, intercept: they apply to integers, and floats are HU; leave them out")
        return np.ascontiguousarray(given, np.float32), None, 0
    low, high = (int(given.min()), int(given.max())) if given.size else (0, 0)
    kind = np.iinfo(given.dtype)
    if low >= -32768 and high <= 32767 and given.dtype.newbyteorder("=") != np.uint16:
        return np.ascontiguousarray(given, np.int16), (max(kind.min, -32768), min(kind.max, 32767)), 0
    if low < 0 or high > 65535:
        raise InputError("array: integers that fit neither int16 nor uint16; give HU as floats")
    # As int16: less 32768.
    stored = np.array(given, np.uint16, order="C") ^ np.uint16(32768)
    return stored.view(np.int16), (0, 65535), 32768


def _rescales(slope, intercept, offset: int, slices: int) -> list[tuple[float, float, int]]:
    """Slope, intercept and offset of each slice."""
    try:
        pairs = [np.broadcast_to(np.asarray(one, np.float64), slices).tolist() for one in (slope, intercept)]
    except (ValueError, TypeError):
        raise InputError(f"slope, intercept: give a number, or one for each of the {slices} slices") from None
    return [(*pair, offset) for pair in zip(*pairs, strict=True)]


def denoise_series(
    paths: Paths, output: str | os.PathLike[str], *, threads: int = 0, progress: Progress = None, **options: Any
) -> Denoised:
    """A series with less noise as derived DICOM: the same bytes as ``tomobasis denoise``.

    Parameters
    ----------
    paths : path, or sequence of them
        The input, as for ``inspect``.
    output : path
        The folder to create.
    threads, progress
        As for ``svd``.
    **options
        Those of the command, without the hyphens: ``strength=0.5``, ``quality="best"``, ``series="largest"``,
        ``no_patient_data=True``, ``overwrite=True``.

    Returns
    -------
    Denoised

    Raises
    ------
    InputError, FileError, RunError, KeyboardInterrupt
        As ``decompose``. Nothing is left behind after any exception.

    Examples
    --------
    >>> denoised = tomobasis.denoise_series("scans/head", "denoised")  # doctest: +SKIP
    >>> denoised.manifest["effect"]["after"]["sigma"]  # doctest: +SKIP
    7.9
    """
    folder = path_of(output, "output")
    words = arguments(paths, output=folder, **options)
    report = reporter(progress)
    try:
        _native.denoise_series(words, threads, report)
    finally:
        close(report)
    return Denoised(folder)


class Denoised:
    """A folder of a denoised series (docs/denoise.md): its manifest, and the series.

    Parameters
    ----------
    folder : path

    Raises
    ------
    FileError
        Where there is no folder that can be read.
    InputError
        Where it is no such folder, or not finished.
    VerificationError
        Where its manifest was changed.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = Path(_native.local_folder(path_of(folder, "folder", any_bytes=True)))
        _, self.manifest = read_manifest(self.folder)
        self.digests: Mapping[str, Any] = self.manifest["digests"]
        if not str(self.manifest.get("format", "")).startswith("tomobasis denoised "):
            raise InputError("manifest.json: it is not that of a denoised series; for a result, use Result")
        self._files = self.folder / (self.manifest["run"].get("folder") or "")

    @property
    def digest(self) -> str:
        """Of the denoised stored pixels."""
        return self.digests["denoised"]

    def read(self, *, threads: int = 0, progress: Progress = None) -> Scan:
        """The denoised series as an array; a `VerificationError` where its pixels are not those of ``digest``."""
        scan = read(self._files / "dicom", threads=threads, progress=progress)
        if scan.digest != self.digest:
            raise VerificationError("dicom: its pixels are not those of the manifest's digest, so they were changed")
        return scan

    def verify(self, paths: Paths, *, series: str | None = None, threads: int = 0, progress: Progress = None) -> str:
        """Denoises the input again and compares every byte, as ``tomobasis verify`` does.

        Returns
        -------
        str
            What was compared.

        Raises
        ------
        VerificationError
            Naming the first difference.
        """
        return verify(self.folder, paths, series, False, "fail", threads, progress)

    def __repr__(self) -> str:
        return f"<tomobasis.Denoised {self.digest[:16]}>"
