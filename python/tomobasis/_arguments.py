"""Arguments of a function as those of the command."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def path_list(paths: Paths) -> list[str]:
    """One path or several, as text."""
    some = [paths] if isinstance(paths, (str, bytes, os.PathLike)) else list(paths)
    return [os.fsdecode(path) for path in some]


def values_of(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Options by the names of the command, with their values as text: of a list, its values; ``true`` for one without."""
    for name, value in options.items():
        if value is None or value is False:
            continue
        many = value if isinstance(value, (list, tuple)) else ["true" if value is True else value]
        yield name.replace("_", "-"), ",".join(str(os.fspath(v) if isinstance(v, os.PathLike) else v) for v in many)


def arguments(paths: Paths, **options: Any) -> list[str]:
    """The words of the command line: of ``no_patient_data=True`` ``--no-patient-data``; of others, their values."""
    words = [f"--input={path}" for path in path_list(paths)]
    for name, value in options.items():
        words += [f"--{option}" if value is True else f"--{option}={text}" for option, text in values_of({name: value})]
    return words
