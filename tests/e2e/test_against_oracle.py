"""The numbers are right: held against NumPy, pydicom and ball arithmetic, which share no code with us.

The scan of `make demo` in full: 301 slices of 512 x 512 of a real head (a phantom where the package is missing).
"""

import numpy as np
import pytest

from make_ct_series import main
from oracle import enclosure, fused, ratios, result, rounding, scan
from running import decompose


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    base = tmp_path_factory.mktemp("oracle")
    main([str(base / "scan")])
    run = decompose("--input", base / "scan", "--output", base / "result", "--emit", "parquet")
    assert run.code == 0, run.err
    return scan.read(base / "scan"), result.read(base / "result")


@pytest.fixture(scope="module")
def enclosed(case):
    return enclosure.enclose(case[0].gram())


def test_every_singular_value_is_proven_to_be_correctly_rounded(case, enclosed):
    _, ours = case
    assert len(ours.s) == 301
    assert rounding.unproven_values(enclosed, ours.s) == []


def test_every_entry_of_the_weights_is_proven_to_be_correctly_rounded(case, enclosed):
    _, ours = case
    assert ours.v.shape == (301, 301)
    assert rounding.unproven_entries(enclosed, ours.v) == []


def test_the_basis_and_the_weights_are_orthonormal(case):
    _, ours = case
    assert ratios.orthogonality(ours.u) < ratios.ALARM
    assert ratios.orthogonality(ours.v) < ratios.ALARM


def test_the_factors_multiply_to_the_scan(case):
    theirs, ours = case
    a = theirs.hu.astype(np.float64)
    assert ratios.reconstruction(a, ours.u, ours.s, ours.v) < ratios.ALARM
    assert ratios.projection(a, ours.u, ours.s, ours.v) < ratios.ALARM


def test_entries_of_the_basis_are_what_the_definition_says_bit_for_bit(case):
    theirs, ours = case
    plain = len(ours.s) - ours.manifest["result"]["compensated_columns"]
    places = np.random.default_rng(5)
    for row, column in zip(places.integers(0, ours.u.shape[0], 60), places.integers(0, plain, 60), strict=True):
        expected = fused.basis_entry(theirs.hu[row], ours.v[:, column], ours.s[column])
        assert ours.u[row, column] == expected, (row, column)
