"""The v2 component as kfp.local runs it, against the cluster."""

import json
import os
import re
import signal
import subprocess

from cluster import APPLICATIONS, LONGEST
from kits import python
from running import ROOT
from waiting import wait_for


def started(cluster, keys, folder, run, input_uri, output_uri):
    """The component as a process group of its own, which is what a container's init signals."""
    never = {"op": "replace", "path": "/spec/restartPolicy", "value": {"type": "Never"}}
    environment = {
        "PATH": f"{python('v2').parent}:{os.environ['PATH']}",
        "KUBECONFIG": str(cluster.users_config),
        "TOMOBASIS_OVERLAY": str(cluster.overlay("s3", never)),
        "AWS_ACCESS_KEY_ID": keys.access,
        "AWS_SECRET_ACCESS_KEY": keys.secret,
    }
    words = [
        python("v2"),
        ROOT / "tests/cluster/run_component.py",
        folder,
        cluster.namespace,
        run,
        "decompose",
        input_uri,
        output_uri,
    ]
    return subprocess.Popen(
        [str(word) for word in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, **environment},
    )


def component(cluster, keys, folder, run, input_uri, output_uri):
    """The component's exit code and what it said."""
    process = started(cluster, keys, folder, run, input_uri, output_uri)
    try:
        said, _ = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, said


def application_of(cluster, output_uri):
    """Name of the application that writes there, once there is one."""

    def found():
        made = cluster.get(APPLICATIONS)["items"]
        return next((a["metadata"]["name"] for a in made if output_uri in a["spec"]["arguments"]), None)

    return wait_for(LONGEST, f"an application for {output_uri}", found)


def test_the_v2_component_gives_the_laptops_result_as_artifacts(cluster, bucket, keys, scan, tmp_path):
    run = (tmp_path, "run-7", bucket.uri("series"), bucket.uri("component"))
    code, said = component(cluster, keys, *run)
    assert code == 0, said
    outputs = json.loads(re.search("^OUTPUTS (.*)$", said, re.MULTILINE)[1])
    assert outputs["result"]["metadata"]["root_digest"] == scan.root
    assert outputs["numbers"]["metadata"]["rank"] > 0
    with open(outputs["report"]["path"]) as page:
        assert "<html" in page.read()
    scan.same_as(bucket.get("component", tmp_path / "result"))
    code, said = component(cluster, keys, *run)
    assert code == 0, said
    assert "is there already" in said


def test_a_failing_job_fails_the_v2_step_with_the_drivers_one_line(cluster, bucket, keys, tmp_path):
    code, said = component(cluster, keys, tmp_path, "run-8", bucket.uri("absent"), bucket.uri("component-failed"))
    assert code != 0
    assert "error: --input: there is no such folder" in said, said
    application = cluster.get(APPLICATIONS, application_of(cluster, bucket.uri("component-failed")))
    state = application["status"]["applicationState"]["state"]
    assert state == "FAILED"


def test_a_v2_step_that_is_cancelled_deletes_its_application(cluster, bucket, keys, tmp_path):
    process = started(cluster, keys, tmp_path, "run-9", bucket.uri("series"), bucket.uri("component-cancelled"))
    name = application_of(cluster, bucket.uri("component-cancelled"))
    cluster.running_pod(name, "driver")
    os.killpg(process.pid, signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert cluster.get(APPLICATIONS, name) is None, said
    wait_for(LONGEST, "the driver to end", lambda: cluster.pods(name, "driver") == [])
