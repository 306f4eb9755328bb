"""Arguments of a function as those of the command."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def path_list(paths: Paths) -> list[str]:
    """One path or several, as text."""
    some = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    return [os.fspath(path) for path in some]


def arguments(paths: Paths, **options) -> list[str]:
    """The words of the command line: of ``no_patient_data=True`` ``--no-patient-data``; of a list, its values."""
    words = [word for path in path_list(paths) for word in ("--input", path)]
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(option)
            continue
        many = value if isinstance(value, (list, tuple)) else [value]
        words.append(f"{option}={','.join(str(os.fspath(v) if isinstance(v, os.PathLike) else v) for v in many)}")
    return words
