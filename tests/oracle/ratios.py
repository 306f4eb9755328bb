"""Residual ratios as LAPACK's tests define them (LAPACK Working Note 41): small when all is well, alarm at `ALARM`."""

import numpy as np

ALARM = 10.0
EPS = np.finfo(np.float64).eps


def orthogonality(q):
    """||I - Q^T Q||_1 / (m eps) of Q, m x k."""
    return np.linalg.norm(np.eye(q.shape[1]) - q.T @ q, 1) / (q.shape[0] * EPS)


def deviation(q):
    """|Q^T Q - I| in the spectral norm, in extended precision."""
    q = q.astype(np.longdouble)
    return np.linalg.norm((q.T @ q - np.eye(q.shape[1])).astype(np.float64), 2)


def reconstruction(a, u, s, v):
    """||A - U S V^T||_1 / (||A||_1 max(m, n) eps), for a decomposition of full rank."""
    return np.linalg.norm(a - (u * s) @ v.T, 1) / (np.linalg.norm(a, 1) * max(a.shape) * EPS)


def projection(a, u, s, v):
    """||A V - U S||_1 / (||A||_1 max(m, n) eps): for any number of columns."""
    return np.linalg.norm(a @ v - u * s, 1) / (np.linalg.norm(a, 1) * max(a.shape) * EPS)
