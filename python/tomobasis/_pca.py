"""Principal component analysis as an estimator of scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from ._arguments import refuse_masked
from ._errors import InputError
from ._native import FloatGramState, FloatRanges, GramState


class PCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Principal component analysis, class certified: the components are correctly rounded.

    The means are removed exactly, and only exact sums are kept, which ``partial_fit`` adds to: batches give the same bits
    in any order. A feature of floats may span 160 binary digits, all features together 256, as in `svd`.

    Parameters
    ----------
    n_components : int or float, optional
        How many are kept; from 0 to 1, as many as explain this share of the variance; by default all up to the numerical
        rank.
    threads : int, optional
        0: one per core.

    Attributes
    ----------
    components_ : numpy.ndarray, n_components_ x n_features
        Principal axes by descending variance. The entry of largest magnitude of each is positive.
    singular_values_, explained_variance_, explained_variance_ratio_ : numpy.ndarray, n_components_
        Of the centered matrix: singular values, their squares over n_samples - 1, shares of the total variance.
    mean_ : numpy.ndarray, n_features
        The float64 nearest to each mean.
    n_components_, n_samples_seen_ : int

    Examples
    --------
    >>> import numpy as np, tomobasis
    >>> x = np.array([[1, 2], [3, 4], [5, 6]])
    >>> pca = tomobasis.PCA().fit(x)
    >>> pca.explained_variance_ratio_.tolist()
    [1.0]
    >>> bool(abs(pca.inverse_transform(pca.transform(x)) - x).max() < 1e-14)
    True
    """

    _parameter_constraints = {  # noqa: RUF012
        "n_components": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither"), None],
        "threads": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, n_components=None, *, threads=0):
        self.n_components = n_components
        self.threads = threads

    def fit(self, X, y=None):
        """Finds the components of X, n_samples x n_features."""
        return self._add(X, None)

    def partial_fit(self, X, y=None):
        """Adds the rows of X to those that were seen, and finds the components of all. After an exception none is added."""
        return self._add(X, getattr(self, "_batches", None))

    def _add(self, X, before):
        self._validate_params()
        refuse_masked(X, "X")
        first = before is None
        X = validate_data(self, X, dtype="numeric", reset=first, ensure_min_samples=2 if first else 1)
        batches = (_Batches(X.shape[1]) if first else before).with_rows(X)
        s, axes, energy, mean = batches.solve(self.threads)
        k = self._kept(s, energy, batches.rows)
        self._batches, self.n_samples_seen_, self.mean_ = batches, batches.rows, mean
        self.singular_values_, self.components_, self.n_components_ = s[:k], axes[:k], k
        self.explained_variance_ = s[:k] ** 2 / (self.n_samples_seen_ - 1)
        self.explained_variance_ratio_ = s[:k] ** 2 / energy if energy else np.zeros(k)
        return self

    def _kept(self, s, energy, samples):
        wanted = len(s) if self.n_components is None else self.n_components
        if isinstance(wanted, Integral):
            if wanted > (most := min(samples, self.n_features_in_)):
                raise InputError(f"n_components: {wanted} is more than {most}, the lesser of samples and features")
            return min(wanted, len(s))
        return min(len(s), int(np.searchsorted(np.cumsum(s**2), wanted * energy)) + 1)

    def transform(self, X):
        """The coordinates of the rows of X along the components, n_samples x n_components_; by NumPy."""
        check_is_fitted(self)
        refuse_masked(X, "X")
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return (X - self.mean_) @ self.components_.T

    def inverse_transform(self, X):
        """The rows whose coordinates are X, up to what the components left out; by NumPy."""
        check_is_fitted(self)
        refuse_masked(X, "X")
        return np.asarray(X, dtype=float) @ self.components_ + self.mean_

    @property
    def _n_features_out(self):
        return self.n_components_


@dataclass(frozen=True)
class _Batches:
    """The exact sums of the rows seen so far: of integers of 16 bits as long as all are, else of floats, with their ranges."""

    columns: int
    rows: int = 0
    sums: GramState | FloatGramState | None = None
    ranges: FloatRanges | None = None

    def with_rows(self, rows):
        """These and more rows."""
        count = self.rows + len(rows)
        if self.ranges is None and _are_sums_kept_of(rows):
            sums = GramState(self.columns)
            sums.update(rows)
            return _Batches(self.columns, count, sums + self.sums if self.rows else sums)
        if self.ranges is None and self.rows:
            raise InputError(
                "X: the batches before were integers of 16 bits, whose sums take no other numbers; give all batches as "
                "floats, from the first one on"
            )
        if rows.dtype.kind in "iu" and rows.dtype.itemsize > 4 and (rows.max() > 2**53 or rows.min() < -(2**53)):
            raise InputError("X: integers beyond 2^53, of which float64 has not all; scale them")
        ranges = FloatRanges(self.columns)
        ranges.update(rows)
        if self.ranges is not None:
            ranges.merge(self.ranges)
        sums = FloatGramState(ranges)
        sums.update(rows)
        if self.ranges is not None:
            sums.merge(self.sums.within(ranges))
        return _Batches(self.columns, count, sums, ranges)

    def solve(self, threads):
        """Singular values and axes of the rows less their means, their energy, and the means."""
        found = self.sums.finish(center="columns", threads=threads)
        if self.ranges is None:
            means = np.array([total / self.rows for total in self.sums.column_sums()])
        else:
            means = self.sums.column_means()
        return found.s, found.Vt, found.energy, means


def _are_sums_kept_of(rows):
    return rows.dtype.kind in "bui" and (rows.dtype.itemsize <= 2 or _is_narrow(rows))


def _is_narrow(rows):
    low, high = int(rows.min()), int(rows.max())
    return (low >= -32768 and high <= 32767) or (low >= 0 and high <= 65535)
