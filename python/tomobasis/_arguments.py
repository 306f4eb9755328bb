"""Arguments of a function as those of the command."""

from __future__ import annotations

import io
import operator
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._errors import InputError

if TYPE_CHECKING:
    Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def path_list(paths: Paths) -> list[str]:
    """One path or several, as text."""
    some = [paths] if isinstance(paths, (str, bytes, os.PathLike)) else paths
    if not isinstance(some, Iterable) or isinstance(some, io.IOBase):
        raise InputError(f"paths: {type(some).__name__} is no path; give one, or a list of paths")
    return [path_of(path, "paths") for path in some]


def path_of(path: Any, name: str, any_bytes: bool = False) -> str:
    """A path as text; an option of the command, which is UTF-8, unless ``any_bytes``."""
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise InputError(f"{name}: {type(path).__name__} is no path; give one as text") from None
    if not any_bytes and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InputError(f"{name}: a path that is not UTF-8; give a link to it, or the folder that it is in")
    return text


def text_of(value: Any, name: str) -> str:
    """An argument that is text."""
    if not isinstance(value, str):
        raise InputError(f"{name} is of the type {type(value).__name__}: give text")
    return value


def number_of(value: Any, name: str) -> float:
    """An argument that is a number, not text that looks like one."""
    if isinstance(value, (str, bytes)):
        raise InputError(f"{name} is of the type {type(value).__name__}: give a number")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} is of the type {type(value).__name__}: give a number") from None


def values_of(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Options by the names of the command, with their values as text: of a list, its values; ``true`` for one without."""
    for name, value in options.items():
        if value is None or value is False:
            continue
        several = isinstance(value, Iterable) and not isinstance(value, (str, bytes, os.PathLike))
        many = list(value) if several else ["true" if value is True else value]
        yield name.replace("_", "-"), ",".join(str(os.fspath(v) if isinstance(v, os.PathLike) else v) for v in many)


def arguments(paths: Paths, **options: Any) -> list[str]:
    """The words of the command line: of ``no_patient_data=True`` ``--no-patient-data``; of others, their values."""
    words = [f"--input={path}" for path in path_list(paths)]
    if "input" in options:
        raise InputError("input: the paths are the input; leave it out")
    # Flags last: what is left out of an option with a value would otherwise be the next word.
    for name, value in sorted(options.items(), key=lambda option: option[1] is True):
        words += [f"--{option}" if value is True else f"--{option}={text}" for option, text in values_of({name: value})]
    return words


def groups_of(value: Any) -> int:
    """An argument that is a number of groups."""
    try:
        groups = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        groups = 0
    if groups < 1:
        raise InputError(f"groups: {value!r} is no number of groups; give an integer from 1")
    return groups


def refuse_masked(array: Any, name: str) -> None:
    """Refuses arrays with masks, and lists of them, which NumPy makes arrays without masks of."""
    if isinstance(array, np.ma.MaskedArray) or (
        isinstance(array, (list, tuple)) and any(isinstance(part, np.ma.MaskedArray) for part in array)
    ):
        raise InputError(f"{name}: a masked array hides some of its values; replace them first, with its method filled")
