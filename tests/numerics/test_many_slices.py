"""A thousand slices and more: threads share the sums of products, each adding to other rows of them."""

import numpy as np
import pytest

from matrix_series import write_matrix
from oracle import result
from results import same
from running import decompose

# More pixels than a row block has.
PIXELS, SLICES = 72 * 72, 1100


def test_many_slices_have_the_same_bits_on_any_threads_and_the_singular_values_of_numpy(tmp_path):
    random = np.random.default_rng(7)
    components = random.normal(size=(PIXELS, 3)) @ random.normal(size=(3, SLICES)) * 300
    stored = (components + random.normal(size=(PIXELS, SLICES)) * 20).round().astype(int)
    write_matrix(tmp_path / "series", stored)
    for threads in (1, 3):
        options = ("--rank", "3", "--emit", "parquet,report", "--threads", str(threads))
        run = decompose("--input", tmp_path / "series", "--output", tmp_path / f"result-{threads}", *options)
        assert run.code == 0, run.err
    same(tmp_path / "result-1", tmp_path / "result-3")
    # Sums below 2^53, so exact in float64 too, by BLAS.
    squares = np.linalg.eigvalsh(stored.T.astype(float) @ stored.astype(float))[::-1][:3]
    assert result.read(tmp_path / "result-1").s == pytest.approx(np.sqrt(squares), rel=1e-12)
