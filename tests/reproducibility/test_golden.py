"""The digests of synthetic scans are those on record (tests/golden/digests.json; `make golden` records them anew)."""

import platform

import pytest

from golden.cases import CASES, FIXED
from golden.record import difference, digests, recorded


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_digests_of_a_made_scan_are_those_on_record(case, tmp_path):
    changed = difference(case.name, recorded().get(case.name), digests(case, tmp_path))
    assert not changed, "\n".join(["", *changed, "If the change is meant, record it: make golden"])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="class fixed is promised on x86-64 only")
@pytest.mark.parametrize("case", FIXED, ids=lambda case: case.name)
def test_the_digests_of_class_fixed_are_those_on_record(case, tmp_path):
    test_the_digests_of_a_made_scan_are_those_on_record(case, tmp_path)


def test_every_record_has_its_case():
    assert sorted(recorded()) == sorted(case.name for case in [*CASES, *FIXED])


def test_a_difference_is_said_in_words():
    found = {"pixels": "1" * 64, "s": "2" * 64}
    assert difference("a", found, found) == []
    assert difference("a", None, found) == ["a: not recorded yet"]
    said = difference("a", {**found, "s": "3" * 64}, found)
    assert said[0] == "a: first to differ: s (the singular values)" and "recorded 3333" in said[1]
