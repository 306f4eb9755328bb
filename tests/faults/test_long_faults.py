"""Faults that Spark notices only after a while: make test-faults, some minutes."""

import os
import signal

import pytest

from waiting import wait_for

pytestmark = pytest.mark.spark

# A host that says nothing is given up after this; else two minutes.
IMPATIENT = {
    "spark_network_timeout": "15s",
    "spark_network_timeoutInterval": "5s",
    "spark_executor_heartbeatInterval": "2s",
}


def test_all_executors_killed_at_once_cost_time_only(standalone_cluster, busy_scan, tmp_path):
    driver = standalone_cluster.submit("--input", busy_scan.folder, "--output", tmp_path / "result")
    driver.wait_for("[3/5] gram")
    for pid in standalone_cluster.executors():
        os.kill(pid, signal.SIGKILL)
    run = driver.finish()
    assert len(driver.said("3 executors were lost within a minute")) == 1, run.err
    busy_scan.is_in(tmp_path, run)


@pytest.mark.parametrize("speculation", ["false", "true"])
def test_a_stopped_host_is_given_up_and_changes_nothing_when_it_wakes_up(
    speculation, standalone_cluster, busy_scan, tmp_path
):
    conf = {**IMPATIENT, "spark_speculation": speculation, "spark_speculation_minTaskRuntime": "1s"}
    driver = standalone_cluster.submit("--input", busy_scan.folder, "--output", tmp_path / "result", **conf)
    driver.wait_for("[2/5] decode")
    worker = next(iter(standalone_cluster.workers.values()))
    (executor,) = standalone_cluster.executors(worker)
    stopped = [worker.process.pid, executor]  # else the worker would end its executor
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    busy_scan.is_in(tmp_path, driver.finish())
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    wait_for(60, "the end of the executor", lambda: executor not in worker.executors())
    busy_scan.stands(tmp_path)


def test_a_driver_that_is_told_to_stop_leaves_nothing(standalone_cluster, busy_scan, tmp_path):
    driver = standalone_cluster.submit("--input", busy_scan.folder, "--output", tmp_path / "result")
    driver.wait_for("[3/5] gram")
    driver.send(signal.SIGTERM)
    assert driver.finish().code == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_of_two_jobs_with_one_output_one_wins_whole(standalone_cluster, busy_scan, tmp_path):
    job = ["--input", busy_scan.folder, "--output", tmp_path / "result"]
    drivers = [standalone_cluster.submit(*job, cores=1) for _ in range(2)]
    first, second = sorted((driver.finish() for driver in drivers), key=lambda run: run.code)
    busy_scan.is_in(tmp_path, first)
    assert second.code == 2 and len(second.errors) == 1, second.err
    assert "--output: it exists already" in second.errors[0]


def test_a_worker_that_is_killed_costs_time_only(standalone_cluster, busy_scan, tmp_path):
    """Last: the worker does not come back."""
    driver = standalone_cluster.submit("--input", busy_scan.folder, "--output", tmp_path / "result")
    driver.wait_for("[2/5] decode")
    worker = standalone_cluster.workers.popitem()[1]
    for pid in standalone_cluster.executors(worker):
        os.kill(pid, signal.SIGKILL)
    worker.stop()
    busy_scan.is_in(tmp_path, driver.finish())
