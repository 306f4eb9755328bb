"""A scan from the object store through the Spark operator to a result in the store, and what may happen to its pods meanwhile."""

import os
import signal
from pathlib import Path

from cluster import APPLICATIONS, LONGEST
from waiting import wait_for

SLOWER = ["--conf", "spark.default.parallelism=60"]


def job(bucket, output):
    return ["--input", bucket.uri("series"), "--output", bucket.uri(output)]


def running_submission(cluster, bucket, name, overlay="s3"):
    """A submission whose executors work."""
    process = cluster.submission(name, cluster.overlay(overlay), job(bucket, name), *SLOWER)
    executor = cluster.running_pod(name, "executor", submission=process)
    return process, executor


def ends_well(cluster, bucket, scan, process, name, folder):
    run = cluster.finish(process)
    assert run.code == 0, run.err
    assert bucket.names(name)[0] == "_SUCCESS"
    scan.same_as(bucket.get(name, folder))
    return run


def test_the_result_is_that_of_the_laptop(cluster, bucket, scan, tmp_path):
    process = cluster.submission("plain", cluster.overlay(), job(bucket, "plain"))
    run = ends_well(cluster, bucket, scan, process, "plain", tmp_path)
    assert scan.root in run.err
    assert "[completed]" in run.err


def test_a_log_that_breaks_off_is_followed_again(cluster, bucket, scan, tmp_path):
    process, _ = running_submission(cluster, bucket, "log")

    def following():
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return [pid for pid in children if b"--follow" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    for pid in wait_for(LONGEST, "the driver's log to be followed", following):
        os.kill(int(pid), signal.SIGKILL)
    run = ends_well(cluster, bucket, scan, process, "log", tmp_path)
    assert run.err.count(f"{scan.slices}/{scan.slices} files") == run.err.count(f"root digest  {scan.root}") == 1


def test_keys_are_in_no_log_and_no_object_but_the_secret(cluster, bucket, keys):
    process = cluster.submission("keys", cluster.overlay(), [*job(bucket, "keys"), "--verbose"])
    run = cluster.finish(process)
    assert run.code == 0, run.err
    said = run.err + run.out
    for what in (APPLICATIONS, "pods", "configmaps"):
        said += cluster.kubectl("-n", cluster.namespace, "get", what, "-o", "yaml").stdout
    assert keys.secret not in said


def test_an_executor_pod_that_is_deleted_changes_nothing(cluster, bucket, scan, tmp_path):
    process, executor = running_submission(cluster, bucket, "executor-lost")
    cluster.delete_pod(executor, "--grace-period=0", "--force")
    ends_well(cluster, bucket, scan, process, "executor-lost", tmp_path)


def test_a_driver_pod_that_is_deleted_is_started_again_and_finishes(cluster, bucket, scan, tmp_path):
    process, _ = running_submission(cluster, bucket, "driver-lost")
    driver = cluster.running_pod("driver-lost", "driver")
    first = cluster.get("pod", driver)["metadata"]["uid"]
    cluster.delete_pod(driver, "--grace-period=0", "--force")
    run = ends_well(cluster, bucket, scan, process, "driver-lost", tmp_path)
    second = cluster.pods("driver-lost", "driver")[0]["metadata"]["uid"]
    assert first != second, run.err


def test_two_jobs_at_once_do_not_disturb_each_other(cluster, bucket, scan, tmp_path):
    names = ("one-of-two", "other-of-two")
    overlay = cluster.overlay()
    processes = [cluster.submission(name, overlay, job(bucket, name), *SLOWER) for name in names]

    def running(name):
        return any(pod["status"].get("phase") == "Running" for pod in cluster.pods(name, "driver"))

    wait_for(LONGEST, "both drivers to run at the same time", lambda: all(map(running, names)))
    for name, process in zip(names, processes, strict=True):
        ends_well(cluster, bucket, scan, process, name, tmp_path / name)


def test_decoding_has_executors_of_its_own_under_the_overlay_resource_profiles(cluster, bucket, scan, tmp_path):
    conf = {"executorCores": "1", "executorMemory": "700m"}
    changes = [
        {"op": "replace", "path": f"/spec/sparkConf/spark.tomobasis.decode.{name}", "value": value}
        for name, value in conf.items()
    ]
    changes.append({"op": "replace", "path": "/spec/dynamicAllocation/maxExecutors", "value": 1})
    changes.append({"op": "replace", "path": "/spec/executor/instances", "value": 1})
    overlay = cluster.overlay("resource-profiles", *changes)
    process = cluster.submission("profiles", overlay, job(bucket, "profiles"))
    ends_well(cluster, bucket, scan, process, "profiles", tmp_path)
    memory = {}
    for pod in cluster.pods("profiles", "executor"):
        requests = pod["spec"]["containers"][0]["resources"]["requests"]
        memory[pod["metadata"]["labels"]["spark-exec-resourceprofile-id"]] = requests["memory"]
    assert sorted(memory.values()) == ["1200Mi", "1524Mi"]
    assert memory["0"] == "1524Mi"
