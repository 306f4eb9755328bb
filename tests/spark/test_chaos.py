"""Faults at random, a few; `make test-chaos` has a thousand."""

import pytest

from chaos import Plan, chaos

pytestmark = [pytest.mark.spark, pytest.mark.alone]

SEED = 26
FAULTS = 25


def test_a_seed_decides_jobs_and_faults():
    plans = [Plan.of(SEED, number) for number in range(50)]
    assert plans == [Plan.of(SEED, number) for number in range(50)]
    assert plans != [Plan.of(SEED + 1, number) for number in range(50)]
    kinds = {fault.kind for plan in plans for fault in plan.faults}
    assert kinds == {"kill", "stop", "full", "lose", "flip", "input", "driver", "leave", "worker"}


def test_faults_at_random_end_in_the_right_result_or_in_one_clear_line(tmp_path):
    lines = []
    with chaos(tmp_path, SEED, lines.append) as run:
        number = 0
        while run.struck < FAULTS and number < 3 * FAULTS:
            run.run(Plan.of(SEED, number), most=FAULTS - run.struck)
            number += 1
    assert run.struck == FAULTS, lines
    assert run.right >= 1, lines
