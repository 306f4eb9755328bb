"""Packages that only some calls need."""

from importlib import import_module
from typing import Any

from ._errors import MissingPackageError

# Where the name of what is installed is not that of what is imported.
INSTALLED = {"sklearn": "scikit-learn"}


def optional(module: str, needed_by: str) -> Any:
    """Imports a module of such a package."""
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        name = INSTALLED.get(package, package)
        raise MissingPackageError(f"{needed_by} needs {name}, which is not installed; pip install {name}") from error
