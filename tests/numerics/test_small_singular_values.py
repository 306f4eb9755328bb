"""Singular values of real matrices graded to 1e-15: our TSQR's and LAPACK gesdd's against the true ones, by balls."""

import numpy as np
import pytest
from flint import acb_mat, ctx, fmpq

from running import example

ROWS, COLUMNS = 80, 18
GRADES = 0.125 ** np.arange(COLUMNS)  # 1 down to 4e-16
BITS = 700  # G has a condition of 1e31; its characteristic polynomial's roots need a multiple of that


def true_values(a):
    """sqrt of the eigenvalues of A^T A, float64 rounded from balls of radius below 1e-30 of each value."""
    ctx.prec = BITS
    exact = [[fmpq(*x.as_integer_ratio()) for x in column] for column in a.T.tolist()]
    gram = [[sum((x * y for x, y in zip(p, q, strict=True)), fmpq(0)) for q in exact] for p in exact]
    values = [v.real.sqrt() for v in acb_mat(gram).eig()]
    assert all(v.rel_accuracy_bits() > 100 for v in values)
    return np.sort([float(v) for v in values])[::-1]


def ours(a, folder):
    (folder / "matrix").write_bytes(a.astype("<f8").tobytes(order="F"))
    return np.array(example("tsqr_raw", folder / "matrix", *a.shape).split(), dtype=np.float64)


def orthonormal(generator, rows):
    return np.linalg.qr(generator.standard_normal((rows, COLUMNS)))[0]


def made(kind):
    generator = np.random.default_rng(8)
    noise = generator.standard_normal((ROWS, COLUMNS))
    if kind == "columns":
        return noise * GRADES
    if kind == "columns, smallest first":
        return noise * GRADES[::-1]
    if kind == "rows":
        return noise[:COLUMNS] * GRADES[:, None]
    return (orthonormal(generator, ROWS) * GRADES) @ orthonormal(generator, COLUMNS).T


def errors(kind, folder):
    """(ours, gesdd's): the error of each singular value, and the true values."""
    a = made(kind)
    true = true_values(a)
    assert true[0] / true[-1] > 1e14
    return abs(ours(a, folder) - true), abs(np.linalg.svd(a, compute_uv=False) - true), true


@pytest.mark.parametrize("kind", ["columns", "columns, smallest first"])
def test_graded_columns_keep_relative_accuracy_no_worse_than_with_gesdd(kind, tmp_path):
    # Well-conditioned columns times a diagonal determine every singular value to its last digits (Demmel and
    # Veselic 1992).
    mine, theirs, true = errors(kind, tmp_path)
    assert (mine / true).max() < 1e-14
    assert (mine / true).max() <= (theirs / true).max()


@pytest.mark.parametrize("kind", ["columns", "columns, smallest first", "rows", "both bases random"])
def test_no_error_is_worse_than_gesdd_makes_or_promises(kind, tmp_path):
    # What both promise is an error of a small multiple of eps s_1; within that, chance decides.
    mine, theirs, true = errors(kind, tmp_path)
    unit = np.finfo(np.float64).eps * true[0]
    assert mine.max() <= max(theirs.max(), 2 * unit)
    assert np.sqrt((mine**2).mean()) <= max(np.sqrt((theirs**2).mean()), unit / 2)
