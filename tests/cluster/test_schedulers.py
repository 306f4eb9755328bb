"""Gang scheduling by Volcano and by YuniKorn: jobs of which the node holds only one run one after the other, each with all its pods."""

import json
import os

import pytest

from batch_schedulers import volcano, yunikorn
from cluster import LONGEST
from spark_operator import Operator
from test_decompose import SLOWER, ends_well, job
from waiting import wait_for

PODS = 3  # the driver, two executors


@pytest.fixture(scope="module")
def gangs(cluster):
    """The operator knows batch schedulers. It may stay so: jobs that name none are not concerned."""
    if not os.environ.get("TOMOBASIS_NODE_ADDRESS"):
        pytest.skip("Volcano and YuniKorn are started beside a cluster of our own only")
    Operator(cluster).upgrade("controller.batchScheduler.enable=true")


@pytest.fixture(scope="module", params=[volcano, yunikorn], ids=lambda p: p.__name__)
def scheduler(request, cluster, gangs):
    """Name of the scheduler that runs, which is the overlay's too."""
    with request.param(cluster):
        yield request.param.__name__


def asking_for(cluster, share):
    """Changes by which a job's pods ask for this share of the node's memory, a third each; they use little of it."""
    (node,) = json.loads(cluster.kubectl("get", "nodes", "-o", "json").stdout)["items"]
    mebibytes = int(node["status"]["allocatable"]["memory"].removesuffix("Ki")) / 1024
    overhead = f"{int(mebibytes * share / PODS) - 1024}M"  # beside a heap of 1G, both of which are binary to Spark
    return [
        {"op": "replace", "path": f"/spec/{role}/memoryOverhead", "value": overhead} for role in ("driver", "executor")
    ]


def pods(cluster, name):
    return [pod for role in ("driver", "executor") for pod in cluster.pods(name, role)]


def placed(pod):
    """When the pod got its node, to the second; None while it has none."""
    conditions = pod["status"].get("conditions", ())
    return next(
        (c["lastTransitionTime"] for c in conditions if c["type"] == "PodScheduled" and c["status"] == "True"), None
    )


def ended(pod):
    return pod["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"]


def phases(cluster, names):
    """Of Volcano's groups, of which the operator makes one for each job."""
    groups = [cluster.get("podgroups.scheduling.volcano.sh", f"spark-{name}-pg") for name in names]
    return sorted(group["status"].get("phase", "") for group in groups if group)


def placeholders(cluster):
    """Pods by which YuniKorn keeps, or waits for, the places of a job's pods."""
    flag = "internal.yunikorn.apache.org/placeholder"
    found = cluster.get("pods")["items"]
    return [pod for pod in found if pod["metadata"].get("annotations", {}).get(flag) == "true"]


def test_of_two_jobs_at_once_one_waits_as_a_whole_until_the_other_has_ended(scheduler, cluster, bucket, scan, tmp_path):
    names = [f"{scheduler}-one", f"{scheduler}-other"]
    overlay = cluster.overlay(scheduler, *asking_for(cluster, 0.8))
    processes = [cluster.submission(name, overlay, job(bucket, name), *SLOWER) for name in names]

    def one_waits():
        if scheduler == "volcano":
            return phases(cluster, names) == ["Pending", "Running"]
        running = [name for name in names for pod in cluster.pods(name, "driver") if placed(pod)]
        return len(running) == 1 and [placed(pod) for pod in placeholders(cluster)].count(None) == PODS

    wait_for(LONGEST, "one job to run and the other to wait", one_waits)
    for name, process in zip(names, processes, strict=True):
        ends_well(cluster, bucket, scan, process, name, tmp_path / name)
    first, second = sorted((pods(cluster, name) for name in names), key=lambda group: min(map(placed, group)))
    for group in (first, second):
        assert len(group) >= PODS  # one that is lost has a successor, in the job's own place
        assert {pod["spec"]["schedulerName"] for pod in group} == {scheduler}
        assert {pod["spec"]["priorityClassName"] for pod in group} == {"tomobasis-batch"}
    submitted = min(pod["metadata"]["creationTimestamp"] for pod in second)
    assert submitted < max(map(ended, first)), "they were not there at the same time"
    assert max(map(ended, first)) <= min(map(placed, second)), "both held places"


def test_a_job_larger_than_the_node_gets_no_place_and_the_user_is_told_why(scheduler, cluster, bucket):
    name = f"{scheduler}-large"
    overlay = cluster.overlay(scheduler, *asking_for(cluster, 1.2))
    process = cluster.submission(name, overlay, job(bucket, name), "--patience", "20")
    seen = {}  # of each of its pods, whether it ever had a place

    def given_up():
        for pod in pods(cluster, name):
            seen[pod["metadata"]["name"]] = seen.get(pod["metadata"]["name"]) or placed(pod)
        return process.poll() is not None

    wait_for(LONGEST, "the job to be given up", given_up)
    run = cluster.finish(process)
    assert list(seen.values()) == [None], seen
    assert run.code == 1, run.err
    assert len(run.errors) == 1, run.err
    assert f"waits for {scheduler}" in run.errors[0]
    assert "room for all of its pods" in run.errors[0]
    wait_for(LONGEST, "all its pods to go", lambda: not pods(cluster, name) and not placeholders(cluster))
