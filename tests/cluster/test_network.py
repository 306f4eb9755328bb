"""Network policies, enforced: who reaches the pods of a job (k8s/setup), and what they reach (the policy that docs/security.md proposes)."""

import json
import os
import re
from urllib.parse import urlsplit

import pytest
import yaml

from cluster import LONGEST
from running import ROOT
from waiting import wait_for

BLOCKS = 7079  # where the driver and the executors hand over row blocks
SLOWER = ["--conf", "spark.default.parallelism=60"]


def reaches(cluster, namespace, pod, address, port):
    """Whether a connection from the pod opens within seconds."""
    attempt = ["timeout", "3", "bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}"]
    return cluster.kubectl("-n", namespace, "exec", pod, "--", *attempt, check=False).returncode == 0


@pytest.fixture(scope="module")
def probes(cluster):
    """Namespaces with a pod `probe` in each: `strangers`, and `monitoring`, which bears the label of such."""
    if not os.environ.get("TOMOBASIS_NODE_ADDRESS"):
        pytest.skip("whether a user's cluster enforces network policies is not for these tests to say")
    names = {"strangers": {}, "monitoring": {"tomobasis.io/monitoring": "true"}}
    image = yaml.safe_load((ROOT / "k8s/values/values.yaml").read_text())["data"]["image"]
    container = {"name": "probe", "image": image, "command": ["sleep", "infinity"]}
    probe = {"containers": [container], "terminationGracePeriodSeconds": 0}
    for name, labels in names.items():
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "namespace": name}, "spec": probe}
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(namespace))
        account = ["-n", name, "get", "serviceaccount", "default"]
        wait_for(60, "its account", lambda account=account: cluster.kubectl(*account, check=False).returncode == 0)
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    for name in names:
        cluster.kubectl("-n", name, "wait", "--for=condition=Ready", "pod/probe", "--timeout=100s")
    yield
    for name in names:
        cluster.kubectl("delete", "namespace", name, "--wait=false")


def test_strangers_reach_no_pod_of_a_job_and_monitoring_reaches_its_page(cluster, bucket, scan, probes, tmp_path):
    job = ["--input", bucket.uri("series"), "--output", bucket.uri("guarded")]
    process = cluster.submission("guarded", cluster.overlay(), job, *SLOWER)
    cluster.running_pod("guarded", "executor")
    (driver,) = cluster.pods("guarded", "driver")
    address = driver["status"]["podIP"]
    wait_for(60, "monitoring to see the driver", lambda: reaches(cluster, "monitoring", "probe", address, 4040))
    assert not reaches(cluster, "strangers", "probe", address, 4040)
    for namespace in ("strangers", "monitoring"):
        assert not reaches(cluster, namespace, "probe", address, BLOCKS)
    executor = cluster.running_pod("guarded", "executor")
    to_driver = reaches(cluster, cluster.namespace, executor, address, BLOCKS)
    run = cluster.finish(process)
    assert run.code == 0, run.err
    assert to_driver
    scan.same_as(bucket.get("guarded", tmp_path))


def proposed_policy():
    """The policy on the page."""
    section = (ROOT / "docs/security.md").read_text().partition("\n## Network\n")[2].partition("\n## ")[0]
    block = re.search(r"(?:^    .*\n)+", section, re.MULTILINE)[0]
    return yaml.safe_load(block)


def test_the_proposed_policy_lets_a_job_reach_the_api_server_and_the_store_alone(
    cluster, bucket, scan, probes, tmp_path
):
    policy = proposed_policy()
    _, names, addresses = policy["spec"]["egress"]
    # Here names are answered by the node, not by a pod, and the store has a port of its own.
    node = [{"ipBlock": {"cidr": f"{os.environ['TOMOBASIS_NODE_ADDRESS']}/32"}}]
    names["to"] = addresses["to"] = node
    store = urlsplit(cluster.endpoint)
    addresses["ports"].append({"protocol": "TCP", "port": store.port})
    kubelet = 10250
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(policy))
    try:
        job = ["--input", bucket.uri("series"), "--output", bucket.uri("closed")]
        process = cluster.submission("closed", cluster.overlay(), job, *SLOWER)
        executor = cluster.running_pod("closed", "executor")
        wait_for(
            LONGEST, "the store", lambda: reaches(cluster, cluster.namespace, executor, store.hostname, store.port)
        )
        assert not reaches(cluster, cluster.namespace, executor, store.hostname, kubelet)
        assert reaches(cluster, "strangers", "probe", store.hostname, kubelet)
        run = cluster.finish(process)
    finally:
        cluster.kubectl("-n", cluster.namespace, "delete", "networkpolicy", policy["metadata"]["name"])
    assert run.code == 0, run.err
    scan.same_as(bucket.get("closed", tmp_path))
