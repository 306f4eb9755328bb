"""The v2 component as kfp.local runs it, against the cluster."""

import json
import os
import subprocess

from cluster import LONGEST
from kits import python
from running import ROOT


def component(cluster, bucket, keys, folder, run, input_uri, output_uri):
    environment = {
        "PATH": f"{python('v2').parent}:{os.environ['PATH']}",
        "KUBECONFIG": str(cluster.users_config),
        "TOMOBASIS_OVERLAY": str(cluster.overlay("s3")),
        "AWS_ACCESS_KEY_ID": keys.access,
        "AWS_SECRET_ACCESS_KEY": keys.secret,
    }
    words = [
        python("v2"),
        ROOT / "tests/cluster/run_component.py",
        folder,
        cluster.namespace,
        run,
        input_uri,
        output_uri,
    ]
    return subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        env={**os.environ, **environment},
    )


def test_the_v2_component_gives_the_laptops_result_as_artifacts(cluster, bucket, keys, scan, tmp_path):
    done = component(cluster, bucket, keys, tmp_path, "run-7", bucket.uri("series"), bucket.uri("component"))
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = json.loads(done.stdout.rpartition("OUTPUTS ")[2])
    assert outputs["result"]["metadata"]["root_digest"] == scan.root
    assert outputs["numbers"]["metadata"]["rank"] > 0
    with open(outputs["report"]["path"]) as page:
        assert "<html" in page.read()
    scan.same_as(bucket.get("component", tmp_path / "result"))
    again = component(cluster, bucket, keys, tmp_path, "run-7", bucket.uri("series"), bucket.uri("component"))
    assert again.returncode == 0, again.stdout + again.stderr
    assert "is there already" in again.stdout + again.stderr
