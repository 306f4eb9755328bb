"""Matrices made to break eigensolvers, error bounds and rounding tests, each digit of each result proven by exact and ball arithmetic.

TOMOBASIS_RANDOM_MATRICES=100000 .venv/bin/python -m pytest tests/numerics/test_adversarial.py       hours
TOMOBASIS_RANDOM_SEED=17 TOMOBASIS_RANDOM_MATRICES=1 ...                                      one of them again
"""

import json
import os

import numpy as np
import pytest
from adversarial import families, random_case

from oracle import certificate
from running import example

FIRST = int(os.environ.get("TOMOBASIS_RANDOM_SEED", 1))
COUNT = int(os.environ.get("TOMOBASIS_RANDOM_MATRICES", 1200))


def certify(cases):
    """Cases -> results, or the error as text, in the same order."""
    answers = example("certify", input="".join(case.line() + "\n" for case in cases), timeout=3600).splitlines()
    return [parsed(answer, case.stored.shape[1]) for answer, case in zip(answers, cases, strict=True)]


def parsed(answer, columns):
    if answer.startswith("error "):
        return answer
    head, *lists = answer.split("[")
    rank, energy = head.split()
    s, compensated, unresolved, v, v_low = (json.loads("[" + part) for part in lists)
    table = [np.array(x).reshape(columns, len(s)) for x in (v, v_low)]
    return certificate.Result(int(rank), float(energy), s, [bool(c) for c in compensated], unresolved, *table)


def complaints(cases):
    found = {}
    for case, result in zip(cases, certify(cases), strict=True):
        wrong = result if isinstance(result, str) else certificate.complaints(case.exact(), case.wanted, result)
        if wrong:
            found[case.name] = wrong
    return found


def test_every_digit_of_the_classical_hard_matrices_is_proven():
    assert complaints(families()) == {}


def test_every_digit_of_random_matrices_is_proven():
    print(f"seeds {FIRST} to {FIRST + COUNT - 1}")
    for first in range(FIRST, FIRST + COUNT, 100):
        assert complaints([random_case(s) for s in range(first, min(first + 100, FIRST + COUNT))]) == {}


@pytest.mark.parametrize("center", ["rows", "columns", "both"])
def test_every_digit_without_means_is_proven(center):
    cases = [random_case(seed) for seed in range(900, 915)]
    cases = [type(case)(case.name, case.stored, case.slopes, case.intercepts, center) for case in cases]
    assert complaints(cases) == {}


def test_one_wrong_bit_of_a_result_is_noticed():
    case = next(case for case in families() if case.name == "golden ratio mixed, 3 times")
    [right] = certify([case])
    for change in (
        {"rank": right.rank - 1},
        {"s": [float(np.nextafter(right.s[0], 0)), *right.s[1:]]},
        {"unresolved": right.unresolved[1:]},
        {"v": right.v * np.where(np.arange(right.v.size).reshape(right.v.shape) == 0, 1 + 2.0**-52, 1)},
        {"v": -right.v},
        {"energy": right.energy * 2},
    ):
        changed = certificate.Result(**{**vars(right), **change})
        assert certificate.complaints(case.exact(), 0, changed), change
