"""The exceptions of the package. Each is also one of Python's own, for callers that know only these."""


class TomoBasisError(Exception):
    """Any error of this package: one line that says what is wrong and what to do."""


class InputError(TomoBasisError, ValueError):
    """An argument, an array, a scan or a result folder cannot be used."""


class FileError(TomoBasisError, OSError):
    """A file cannot be read or written."""


class RunError(TomoBasisError, RuntimeError):
    """A call failed while it ran, or something could not be proven."""


class MissingPackageError(RunError, ImportError):
    """A call needs a package that is not installed."""


class VerificationError(RunError):
    """A result differs from what its input gives."""
