"""Drivers and executors that are killed, or stopped and woken up: exit code, last line, leftovers, and the result to the bit.

Each process is real, on a standalone cluster; `tests/faults` has the cases that take minutes.
"""

import signal

import pytest

pytestmark = pytest.mark.spark


def test_a_killed_executor_costs_time_only(standalone_cluster, busy_scan, tmp_path):
    driver = standalone_cluster.submit("--input", busy_scan.folder, "--output", tmp_path / "result", cores=2)
    driver.wait_for("[2/5] decode")
    standalone_cluster.kill_executor()
    busy_scan.is_in(tmp_path, driver.finish())


def test_a_killed_driver_leaves_no_result_and_its_retry_leaves_nothing_else(standalone_cluster, busy_scan, tmp_path):
    job = ["--input", busy_scan.folder, "--output", tmp_path / "result"]
    driver = standalone_cluster.submit(*job, spark_tomobasis_run="retried", cores=1)
    driver.wait_for("[3/5] gram")
    driver.send(signal.SIGKILL)
    assert driver.finish().code == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith("result.tmp-")
    busy_scan.is_in(tmp_path, standalone_cluster.run(*job, spark_tomobasis_run="retried", cores=1))


def test_a_stopped_driver_that_wakes_up_after_its_retry_changes_nothing(standalone_cluster, busy_scan, tmp_path):
    job = ["--input", busy_scan.folder, "--output", tmp_path / "result"]
    conf = {"spark_tomobasis_run": "stopped", "cores": 1}
    driver = standalone_cluster.submit(*job, **conf)
    driver.wait_for("[3/5] gram")
    driver.send(signal.SIGSTOP)
    busy_scan.is_in(tmp_path, standalone_cluster.run(*job, **conf))
    driver.send(signal.SIGCONT)
    woken = driver.finish()
    assert woken.code == 1, woken.err
    assert len(woken.errors) == 1, woken.err
    busy_scan.stands(tmp_path)
