"""Result folders: made, read, verified."""

from __future__ import annotations

import hashlib
import json
import operator
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _native
from ._arguments import arguments, path_list, path_of, text_of
from ._errors import FileError, InputError, TomoBasisError, VerificationError
from ._optional import optional
from ._progress import close, reporter
from ._scans import html_table, inspect

if TYPE_CHECKING:
    import pyarrow
    from numpy.typing import NDArray

    from ._arguments import Paths
    from ._linalg import Progress
    from ._scans import Scan


def decompose(
    paths: Paths, output: str | os.PathLike[str], *, threads: int = 0, progress: Progress = None, **options: Any
) -> Result:
    """Decomposes a scan, or a matrix in a file, into a result folder: the same bytes as ``tomobasis decompose``.

    Parameters
    ----------
    paths : path, or sequence of them
        The input, as for ``inspect``; with ``input_format="npy"`` one file.
    output : path
        The result folder.
    threads, progress
        As for ``svd``.
    **options
        Those of the command, without the hyphens: ``rank=50``, ``method="tsqr"``, ``center=True``,
        ``composite=[5, 50]``, ``emit=["parquet", "png"]``, ``overwrite=True``, ``no_patient_data=True``.

    Returns
    -------
    Result

    Raises
    ------
    InputError
        For an option or an input that cannot be used.
    FileError
        For a file that cannot be read or written.
    RunError
        When it fails while it runs.
    KeyboardInterrupt
        At Ctrl-C. Nothing is left behind after any exception.

    Examples
    --------
    >>> result = tomobasis.decompose("scans/head", "result", rank=50)  # doctest: +SKIP
    >>> result.digest[:16]  # doctest: +SKIP
    '4ecf4904b8480d4a'
    """
    folder = path_of(output, "output")
    words = arguments(paths, output=folder, **options)
    report = reporter(progress)
    try:
        _native.decompose(words, threads, report)
    finally:
        close(report)
    return Result(folder)


def decompose_all(
    paths: Paths,
    output: str | os.PathLike[str],
    series: Sequence[str] | None = None,
    *,
    threads: int = 0,
    progress: Progress = None,
    **options: Any,
) -> dict[str, Result]:
    """Decomposes several series of an input, one after the other, each into a result folder of its own.

    Parameters
    ----------
    paths, threads, progress, **options
        As for ``decompose``.
    output : path
        A folder, which is made where there is none; each result is in a folder in it that has the name of the series' id.
    series : sequence of str, optional
        Ids as ``inspect`` shows them; by default all original series, no derived ones and no localizers.

    Returns
    -------
    dict
        From the ids to each ``Result``.

    Raises
    ------
    InputError, FileError, RunError
        As ``decompose``, with the id first, at the first series that fails; results that were finished stay.

    Examples
    --------
    >>> results = tomobasis.decompose_all("scans", "results", rank=50)  # doctest: +SKIP
    """
    table = inspect(paths, threads=threads)
    if isinstance(series, str):
        raise InputError("series: give a list of ids; of one series, decompose takes the id")
    ids = [row["id"] for row in table if row["role"] == "original"] if series is None else list(series)
    if not ids:
        none = "there is no original series; name those that are meant" if series is None else "no id is given"
        raise InputError(f"series: {none}")
    if len(set(ids)) < len(ids):
        raise InputError("series: an id is given twice; give each once")
    if unknown := set(ids) - {row["id"] for row in table}:
        raise InputError(f"series: the input has no {min(unknown)}; inspect lists those that it has")
    if not (given := path_of(output, "output")):
        raise InputError("output: an empty path; name a folder")
    base = Path(_native.local_folder(given))
    try:
        base.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"output: cannot be made ({error.strerror}); give another folder") from None
    results = {}
    for name in ids:
        try:
            results[name] = decompose(paths, base / name, threads=threads, progress=progress, series=name, **options)
        except TomoBasisError as error:
            raise type(error)(f"series {name}: {error}") from error
    return results


def read_manifest(folder: Path) -> tuple[str, Mapping[str, Any]]:
    """The manifest of a finished folder as text and as a mapping, once its seal and its digests go together."""
    if not folder.is_dir():
        raise FileError("manifest.json: there is no such folder; give a result folder")
    text = _native.manifest(folder)
    return text, json.loads(text)


def verify(folder: Path, paths: Paths, series, join, on_bad_slice, threads, progress) -> str:
    """Makes what is in a folder again and compares."""
    inputs = path_list(paths)
    report = reporter(progress)
    try:
        return _native.verify(os.fspath(folder), inputs, series, join, on_bad_slice, threads, report)
    finally:
        close(report)


def _place(part):
    """The number in the name of a part file, which has five digits or more."""
    return int(part.stem.removeprefix("part-"))


def _bytes_of(path, folder, listed):
    """The bytes of a file, as a manifest lists them."""
    name, data = path.relative_to(folder).as_posix(), path.read_bytes()
    if not listed:
        return data
    if name not in listed:
        raise FileError(f"{name}: the manifest lists no such file")
    if hashlib.sha256(data).hexdigest() != listed[name]["sha256"]:
        raise VerificationError(f"{name}: it was changed: its SHA-256 is not the one that the manifest lists")
    return data


class Result:
    """A result folder (docs/format.md): its manifest, tables and pictures.

    Parameters
    ----------
    folder : path

    Raises
    ------
    FileError
        Where there is no folder that can be read.
    InputError
        Where it is no finished result.
    VerificationError
        Where its manifest was changed. Numbers of tables are compared with its digests too, whenever they are read; whether
        they are those of the input is what ``verify`` says.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = Path(_native.local_folder(path_of(folder, "folder", any_bytes=True)))
        self._text, self.manifest = read_manifest(self.folder)
        self.digests: Mapping[str, Any] = self.manifest["digests"]
        if not str(self.manifest.get("format", "")).startswith("tomobasis result "):
            raise InputError("manifest.json: it is not that of a result; for a denoised series, use Denoised")
        self._files = self.folder / self.manifest["run"].get("folder", "")

    @property
    def digest(self) -> str:
        """The root digest."""
        return self.digests["root"]

    def table(self, name: str) -> pyarrow.Table:
        """A table by its file name, ``weights.parquet``, or ``basis`` for all of its parts; needs pyarrow. Its bytes are
        compared with the manifest's list of files (which earlier versions did not write)."""
        pa, parquet = (optional(module, "table") for module in ("pyarrow", "pyarrow.parquet"))
        name = text_of(name, "name")
        listed = {file["path"]: file for file in self.manifest.get("files") or ()}
        parts = (
            sorted(self._files.glob("basis/part-*.parquet"), key=_place) if name == "basis" else [self._files / name]
        )
        if (name != "basis" and Path(name).suffix != ".parquet") or not parts:
            raise FileError(f"{name}: the result has no such table")
        try:
            return pa.concat_tables(
                [parquet.read_table(pa.BufferReader(_bytes_of(part, self._files, listed))) for part in parts]
            )
        except (OSError, pa.ArrowInvalid) as error:
            if isinstance(error, FileError):
                raise
            raise FileError(f"{name}: cannot be read ({type(error).__name__}); it may not have been written") from error

    def _with_tables(self, read, *arguments):
        """What `read` makes of the tables."""
        if "parquet" not in self.manifest["emitted"]:
            raise FileError("the result has no tables, since emit left out parquet; decompose the input again")
        return read(self.folder, self._text, *arguments)

    @property
    def s(self) -> NDArray[np.float64]:
        """Singular values, k."""
        return self._with_tables(_native.stored_factors)[0]

    @property
    def V(self) -> NDArray[np.float64]:
        """Weights, n x k: a row for each slice."""
        return self._with_tables(_native.stored_factors)[1]

    @property
    def U(self) -> NDArray[np.float64]:
        """Basis vectors, m x k: a row for each pixel."""
        return self._with_tables(_native.stored_basis)

    @property
    def _center(self) -> str | None:
        """Which means were removed, as `_native.means` names them."""
        parameters = self.manifest["parameters"]
        center = "rounded" if parameters["method"] == "dspca" else parameters.get("center")
        return "rounded" if center is True else center or None

    def composite(self, k: int, scan: Scan | None = None) -> NDArray[np.float64]:
        """The reconstruction from the first k basis vectors, slices x rows x columns, in the scan's unit, by NumPy.

        Parameters
        ----------
        k : int
            From 1 to the number of basis vectors.
        scan : Scan, optional
            What ``read`` returned for the input, with the ``padding`` of the result. Needed where means were removed
            (``center``, ``dspca``): a result folder does not hold them, and they are added again.

        Raises
        ------
        InputError
            For a k that there is not; for means that were removed, without the scan, or with another one.
        """
        series, center = self.manifest["series"], self._center
        try:
            k = operator.index(k)
        except TypeError:
            raise InputError(f"k is of the type {type(k).__name__}: give an integer") from None
        s, V = self._with_tables(_native.stored_factors)
        if not 1 <= k <= len(s):
            raise InputError(f"k: {k} is outside 1 to {len(s)}, the basis vectors of the result")
        if center is not None and scan is None:
            raise InputError(
                "scan: means were removed, which the result folder does not hold; give what tomobasis.read returns "
                "for its input"
            )
        if scan is not None:
            if scan.digest != self.digests["pixels"]:
                raise InputError("scan: it is not the one that was decomposed; read the input of the result")
            padding = self.manifest["parameters"].get("padding", "keep")
            if center is not None and scan.padding != padding:
                raise InputError(f"scan: read it with padding={padding!r}, as it was decomposed")
        values = ((self.U[:, :k] * s[:k]) @ V[:, :k].T).T.reshape(-1, series["rows"], series["columns"])
        if center is not None:
            rescales = list(zip(scan.slope.tolist(), scan.intercept.tolist(), scan.offset.tolist(), strict=True))
            of_pixels, of_slices = _native.means(np.ascontiguousarray(scan.stored), rescales, center)
            if of_pixels.size:
                values += of_pixels.reshape(values.shape[1:])
            if of_slices.size:
                values += of_slices[:, None, None]
        return values

    @property
    def pictures(self) -> list[Path]:
        """The files of the pictures."""
        return sorted((self._files / "pictures").glob("*.png"))

    def verify(
        self,
        paths: Paths,
        *,
        series: str | None = None,
        join: bool = False,
        on_bad_slice: Literal["fail", "skip"] = "fail",
        threads: int = 0,
        progress: Progress = None,
    ) -> str:
        """Computes the result again from its input and compares every byte, as ``tomobasis verify`` does.

        Returns
        -------
        str
            What was compared.

        Raises
        ------
        VerificationError
            Naming the first difference.
        """
        return verify(self.folder, paths, series, join, on_bad_slice, threads, progress)

    def __repr__(self) -> str:
        return f"<tomobasis.Result {self.digest[:16]}>"

    def _repr_html_(self) -> str:
        result, series = self.manifest["result"], self.manifest["series"]
        size = f"{series['slices']} slices of {series['rows']} x {series['columns']}"
        rows = [
            ("root digest", self.digest),
            ("matrix", size),
            ("rank", result["rank"]),
        ]
        return html_table(["result", ""], rows)
