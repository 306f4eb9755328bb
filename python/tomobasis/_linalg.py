"""Decompositions of NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from . import _native
from ._progress import close, reporter

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Progress = Callable[[str, int, int], object] | bool | None


@dataclass(frozen=True, eq=False)
class Svd:
    """The leading k singular triplets of a matrix A, m x n: ``A = U @ diag(s) @ Vt``.

    Can be unpacked as what ``numpy.linalg.svd(A, full_matrices=False)`` returns: ``U, s, Vt = result``. k is at most
    the numerical rank, where NumPy goes on with singular values that are rounding errors.
    """

    U: NDArray[np.float64]
    """Left singular vectors, m x k."""
    s: NDArray[np.float64]
    """Singular values, k, descending."""
    Vt: NDArray[np.float64]
    """Right singular vectors as rows, k x n. The entry of largest magnitude of each is positive."""
    method: str
    """``gram``, ``tsqr``, ``dssvd`` or ``dspca``, as in ``manifest.json``."""
    reproducibility: Literal["certified", "fixed"]
    """For what the bits are promised to be the same (docs/reproducibility.md)."""
    rank: int
    """Numerical rank: singular values above ``max(m, n) * 2**-52 * s[0]``, among those that were computed."""
    energy: float
    """Squared Frobenius norm of A, without the means that were removed."""
    digests: Mapping[str, str]
    """SHA-256 of ``pixels`` (A's numbers), ``s``, ``V``, ``U``, and the ``root`` (docs/format.md)."""
    bounds: Mapping[str, float] | None = None
    """Class certified: what was proven, as in ``manifest.json``."""
    unresolved: tuple[int, ...] = ()
    """Class certified: columns (from 0) whose singular values coincide with an adjacent one."""

    @property
    def digest(self) -> str:
        """The root digest: that of ``tomobasis decompose --input-format npy`` for the same matrix and parameters."""
        return self.digests["root"]

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        return iter((self.U, self.s, self.Vt))

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index):
        return (self.U, self.s, self.Vt)[index]

    def __repr__(self) -> str:
        (m, k), n = self.U.shape, self.Vt.shape[1]
        return f"<tomobasis.Svd of {m} x {n}, k = {k}, {self.reproducibility}, digest {self.digest[:16]}>"


def _run(function, *arguments, progress) -> Any:
    report = reporter(progress)
    try:
        return function(*arguments, report)
    finally:
        close(report)


def _svd(function, *arguments, progress) -> Svd:
    found = _run(function, *arguments, progress=progress)
    found["unresolved"] = tuple(found.get("unresolved", ()))
    return Svd(**found)


def svd(
    a: ArrayLike,
    rank: int | None = None,
    *,
    center: Literal["rows", "columns", "both"] | None = None,
    full_matrices: Literal[False] = False,
    threads: int = 0,
    progress: Progress = None,
) -> Svd:
    """The thin SVD of a matrix, class certified: ``s`` and ``Vt`` are correctly rounded, and proven to be.

    Parameters
    ----------
    a : array_like, m x n
        Integers or floats of any type up to 64 bits, in any memory order, strides and order of bytes; n up to 16,384.
        Arrays of 8 and 16-bit integers and of floats are read where they are, memory-mapped files too; others are
        copied. The result depends on the numbers alone, not on their type.
    rank : int, optional
        At most this many singular triplets, from 1 to n; by default all up to the numerical rank.
    center : {"rows", "columns", "both"}, optional
        Means that are removed first, exactly: each row's (principal components, where columns are observations), each
        column's (where rows are), or both.
    full_matrices : False
        As NumPy names it: the thin SVD is the only one.
    threads : int, optional
        0: one per core. Changes no bit.
    progress : callable or bool, optional
        Called as ``progress(stage, done, total)`` from the calling thread; ``True`` shows bars of tqdm where it is
        installed.

    Returns
    -------
    Svd

    Raises
    ------
    InputError
        For what is no matrix of numbers, has NaN or infinity, or floats that span too many binary digits (160 in a
        column): ``tsqr`` takes those.
    RunError
        When something could not be proven, or the machine lacks fused multiply-add.

    Examples
    --------
    >>> import numpy as np, tomobasis
    >>> U, s, Vt = result = tomobasis.svd(np.array([[3, 0], [4, 0], [0, 2]]))
    >>> s.tolist()
    [5.0, 2.0]
    >>> U[:, 0].tolist(), result.reproducibility
    ([0.6, 0.8, 0.0], 'certified')
    """
    if full_matrices:
        from ._errors import InputError

        raise InputError("full_matrices: only the thin decomposition is computed; give False, or leave it out")
    return _svd(_native.svd, a, rank, center, threads, progress=progress)


def tsqr(
    a: ArrayLike,
    rank: int | None = None,
    *,
    center: bool = False,
    threads: int = 0,
    progress: Progress = None,
) -> Svd:
    """The thin SVD by Householder QR along a fixed tree of row blocks, class fixed.

    Backward stable at any condition number; takes any finite floats. The same bits for any number of threads, on
    x86-64 with AVX2 and FMA and on aarch64.

    Parameters
    ----------
    a, rank, threads, progress
        As for ``svd``.
    center : bool, optional
        Remove each row's mean first.

    Returns
    -------
    Svd

    Raises
    ------
    InputError, RunError
        As for ``svd``.

    Examples
    --------
    >>> import numpy as np, tomobasis
    >>> bool(abs(tomobasis.tsqr(np.diag([3.0, 2.0])).s - [3, 2]).max() < 1e-15)
    True
    """
    return _svd(_native.tsqr, a, rank, center, threads, progress=progress)


class Qr(NamedTuple):
    """``A = Q @ R``, m x n: what ``qr`` returns."""

    Q: NDArray[np.float64]
    """Orthonormal columns, m x min(m, n)."""
    R: NDArray[np.float64]
    """Upper trapezoidal, min(m, n) x n; no entry of its diagonal is negative."""


def qr(a: ArrayLike, *, threads: int = 0, progress: Progress = None) -> Qr:
    """The reduced QR factorization by Householder reflections along a fixed tree of row blocks, class fixed.

    Parameters
    ----------
    a, threads, progress
        As for ``svd``; any finite numbers.

    Returns
    -------
    Qr
        ``Q, R = qr(a)`` as ``numpy.linalg.qr(a)``, but for signs: here R's diagonal is not negative.

    Raises
    ------
    InputError, RunError
        As for ``svd``.

    Examples
    --------
    >>> import numpy as np, tomobasis
    >>> Q, R = tomobasis.qr(np.array([[3.0, 0.0], [4.0, 5.0]]))
    >>> bool(abs(R - [[5, 4], [0, 3]]).max() < 1e-14)
    True
    """
    return Qr(*_run(_native.qr, a, threads, progress=progress))


def randomized_svd(
    a: ArrayLike,
    k: int,
    p: int | None = None,
    q: int | None = None,
    seed: int = 0,
    *,
    center: bool = False,
    threads: int = 0,
    progress: Progress = None,
) -> Svd:
    """The k leading singular triplets, nearly, by a random sketch (Halko, Martinsson and Tropp 2011), class fixed.

    Parameters
    ----------
    a, threads, progress
        As for ``svd``; n up to 65,536.
    k : int
        Singular triplets, from 1 to min(m, n).
    p : int, optional
        Columns of the sketch beyond k; 15.
    q : int, optional
        Power iterations; 2.
    seed : int, optional
        Of the random matrix, from 0 to 2^64 - 1: the same bits for the same seed.
    center : bool, optional
        Remove each row's mean first (``dspca``).

    Returns
    -------
    Svd

    Raises
    ------
    InputError, RunError
        As for ``svd``.

    Examples
    --------
    >>> import numpy as np, tomobasis
    >>> a = np.outer(np.arange(50.0), np.arange(20.0))
    >>> tomobasis.randomized_svd(a, 1).U.shape
    (50, 1)
    """
    return _svd(_native.randomized_svd, a, k, p, q, seed, center, threads, progress=progress)


def gram(a: ArrayLike, *, threads: int = 0, progress: Progress = None) -> NDArray[np.int64]:
    """``a.T @ a`` of integers, exact.

    Parameters
    ----------
    a : array_like, m x n
        Integers from -32768 to 32767, or from 0 to 65535, of any type; m up to 2^30, n up to 16,384.
    threads, progress
        As for ``svd``.

    Returns
    -------
    numpy.ndarray, n x n, int64

    Raises
    ------
    InputError
        For other numbers.

    Examples
    --------
    >>> import numpy as np, tomobasis
    >>> tomobasis.gram(np.array([[200, 1], [100, -1]], dtype="int16")).tolist()
    [[50000, 100], [100, 2]]
    """
    return _run(_native.gram, a, threads, progress=progress)
