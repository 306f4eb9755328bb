"""The numbers are right: held against NumPy, pydicom and ball arithmetic, which share no code with us.

Most of it on the scan of `make demo` in full: 301 slices of 512 x 512 of a real head (a phantom where the package is
missing).
"""

import numpy as np
import pytest

from anatomy import Phantom
from ct_image import Storage
from golden.cases import CASES
from make_ct_series import file_names, hu_slices, main, scan_of, write_series
from oracle import basis, enclosure, ratios, result, rounding, scan
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


def test_the_basis_is_as_orthonormal_as_the_manifest_says(case):
    _, ours = case
    bound = ours.manifest["result"]["bounds"]["orthogonality"]
    measured = np.linalg.norm(ours.u.T @ ours.u - np.eye(301), 2)
    # Products of 262,144 terms in float64 are off by less than 1e-13 themselves.
    assert measured - 1e-13 < bound < 1000 * measured


@pytest.mark.parametrize("center", [None, "pixels", "both"])
@pytest.mark.parametrize("name", ["12 bits unsigned", "decimal slopes", "graded slices", "repeated slices"])
def test_the_bound_of_orthogonality_holds_for_every_kind_of_sum(name, center, tmp_path):
    [made] = [case for case in CASES if case.name == name]
    made.write(tmp_path / "scan")
    options = ["--center", center] if center else []
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "result", "--emit", "parquet", *options)
    assert run.code == 0, run.err
    ours = result.read(tmp_path / "result")
    bound = ours.manifest["result"]["bounds"]["orthogonality"]
    assert ratios.deviation(ours.u) <= bound < 1e-9


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
        expected = basis.chained_entry(theirs.hu[row], ours.v[:, column], ours.s[column])
        assert ours.u[row, column] == expected, (row, column)


def test_columns_of_small_singular_values_are_those_of_the_true_vectors(tmp_path):
    """A slice that differs from the next one in one pixel makes a singular value a millionth of the largest."""
    slices = [hu for _, hu in hu_slices(Phantom(), 11, 120, 160)]
    slices.append(slices[-1] + np.eye(120, 160) * (np.arange(160) == 60))
    series = scan_of(Phantom(), 12, 120, 160, Storage(intercept=-1500))
    write_series(tmp_path / "scan", series, enumerate(slices), file_names(12, False))
    assert decompose("--input", tmp_path / "scan", "--output", tmp_path / "result").code == 0
    theirs, ours = scan.read(tmp_path / "scan"), result.read(tmp_path / "result")
    enclosed = enclosure.enclose(theirs.gram())
    assert rounding.unproven_values(enclosed, ours.s) == []
    assert rounding.unproven_entries(enclosed, ours.v) == []
    assert ratios.orthogonality(ours.u) < ratios.ALARM
    assert ours.manifest["result"]["compensated_columns"] >= 1
    assert ours.s[0] > 2**14 * ours.s[-1]
    sign = 1 if float(enclosed.vectors[-1][0].mid()) * ours.v[0, -1] > 0 else -1
    vector = [sign * ball for ball in enclosed.vectors[-1]]
    for row in range(0, len(ours.u), 97):
        assert ours.u[row, -1] == basis.compensated_entry(theirs.hu[row], vector, ours.s[-1]), row
