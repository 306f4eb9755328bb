"""Exact, bit-reproducible singular value decomposition (SVD) of CT scans and matrices.

Of integers of 16 bits, and of most floats, ``svd`` returns singular values and right singular vectors that are
*correctly rounded*: each number is the float64 nearest to the true one, with a proof (class ``certified``). So the
result is a property of the matrix: threads, blocks, versions, the CPU and NumPy's BLAS change no bit.

Calls release the GIL, and stop at Ctrl-C. Arrays must not be changed by another thread while a call reads them: the
numbers of the result would mean nothing.
"""

from typing import TYPE_CHECKING

from ._commands import Result, decompose, decompose_all
from ._denoise import Denoised, denoise, denoise_series
from ._errors import FileError, InputError, MissingPackageError, RunError, TomoBasisError, VerificationError
from ._linalg import Qr, Svd, gram, qr, randomized_svd, svd, tsqr
from ._native import FloatGramState, FloatRanges, GramFactors, GramState, __version__
from ._scans import Scan, SeriesTable, inspect, read

__all__ = [
    "PCA",
    "Denoised",
    "FileError",
    "FloatGramState",
    "FloatRanges",
    "GramFactors",
    "GramState",
    "InputError",
    "MissingPackageError",
    "Qr",
    "Result",
    "RunError",
    "Scan",
    "SeriesTable",
    "Svd",
    "TomoBasisError",
    "VerificationError",
    "__version__",
    "decompose",
    "decompose_all",
    "denoise",
    "denoise_series",
    "gram",
    "inspect",
    "qr",
    "randomized_svd",
    "read",
    "svd",
    "tsqr",
]

if TYPE_CHECKING:
    from ._pca import PCA
else:

    def __getattr__(name):
        # It needs scikit-learn, which the rest does not.
        if name == "PCA":
            from ._optional import optional

            optional("sklearn", "PCA")
            from ._pca import PCA

            return PCA
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
