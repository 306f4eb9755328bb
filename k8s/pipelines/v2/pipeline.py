#!/usr/bin/env python3
"""Kubeflow Pipelines v2: one decomposition as a component, which v2's want of a ResourceOp makes a program of its own.

It creates the SparkApplication and stays with it: the driver's log is the component's log, a step that is retried finds the application
of its own run and goes on watching, a step that is cancelled deletes it. What comes out are artifacts that Kubeflow's pages show: the
report (HTML), numbers (rank, energy, slices) and the result folder.

Compiled by kfp 2 into pipeline.yaml beside this file. `kfp.local` runs the same component outside a cluster (docs/kubernetes.md).
"""

import json
import sys
from pathlib import Path

from kfp import compiler, dsl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from overlay import application

PACKAGES = ["kubernetes==30.1.0", "pyarrow==23.0.1"]


@dsl.component(base_image="python:3.12-slim", packages_to_install=PACKAGES)
def decompose(
    manifest: str,
    namespace: str,
    run: str,
    input_uri: str,
    output_uri: str,
    rank: str,
    result: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    numbers: dsl.Output[dsl.Metrics],
):
    """Runs one SparkApplication to its end.

    manifest: the application as JSON; run: what is the same in every try of this step (its name comes from it).
    """
    import hashlib
    import itertools
    import json
    import signal
    import sys
    import threading
    import time

    from kubernetes import client, config
    from pyarrow import fs

    try:
        config.load_incluster_config()
    except config.ConfigException:
        config.load_kube_config()
    objects, pods = client.CustomObjectsApi(), client.CoreV1Api()
    kind = {
        "group": "sparkoperator.k8s.io",
        "version": "v1beta2",
        "namespace": namespace,
        "plural": "sparkapplications",
    }

    body = json.loads(manifest)
    name = "tomobasis-" + hashlib.sha256(run.encode()).hexdigest()[:16]
    body["metadata"]["name"] = body["spec"]["sparkConf"]["spark.tomobasis.run"] = name
    body["spec"]["arguments"] = ["--input", input_uri, "--output", output_uri, "--rank", rank]

    def cancelled(*_):
        try:
            objects.delete_namespaced_custom_object(name=name, **kind)
        except client.ApiException as refused:
            if refused.status != 404:
                raise
        sys.exit("cancelled; the application was deleted")

    signal.signal(signal.SIGTERM, cancelled)
    try:
        objects.create_namespaced_custom_object(body=body, **kind)
        print(f"application {name} in namespace {namespace}", flush=True)
    except client.ApiException as refused:
        if refused.status != 409:
            raise
        print(f"application {name} is there already: an earlier try of this step made it", flush=True)

    last_error, copied = [], {}

    def copy_log(pod, follow):
        log = pods.read_namespaced_pod_log(pod.metadata.name, namespace, follow=follow, _preload_content=False)
        for line in itertools.islice(log, copied.get(pod.metadata.uid, 0), None):
            copied[pod.metadata.uid] = copied.get(pod.metadata.uid, 0) + 1
            text = line.decode(errors="replace").rstrip("\n")
            if text.startswith("error: "):
                last_error[:] = [text.removeprefix("error: ")]
            print(text, flush=True)

    def drivers():
        return pods.list_namespaced_pod(namespace, label_selector=labels).items

    labels = f"sparkoperator.k8s.io/app-name={name},spark-role=driver"
    logs, state = {}, None
    while state not in ("COMPLETED", "FAILED"):
        time.sleep(2)
        status = objects.get_namespaced_custom_object(name=name, **kind).get("status", {})
        reached = status.get("applicationState", {}).get("state") or "NEW"
        if reached != state:
            state = reached
            print(f"[{state.lower()}]", flush=True)
        for pod in drivers():
            if pod.metadata.uid not in logs and pod.status.phase in ("Running", "Succeeded", "Failed"):
                logs[pod.metadata.uid] = threading.Thread(target=copy_log, args=(pod, True), daemon=True)
                logs[pod.metadata.uid].start()
    for thread in logs.values():
        thread.join(10)
    for pod in drivers():  # a connection that breaks ends a followed log without an error
        copy_log(pod, follow=False)
    if state == "FAILED":
        sys.exit("error: " + (last_error or [status["applicationState"].get("errorMessage", "the job failed")])[0])

    hadoop = body["spec"]["hadoopConf"]
    scheme, _, host = hadoop["fs.s3a.endpoint"].partition("://")
    store = fs.S3FileSystem(endpoint_override=host, scheme=scheme, region=hadoop["fs.s3a.endpoint.region"])

    def read(file):
        with store.open_input_stream(f"{output_uri.partition('://')[2]}/{file}") as data:
            return data.read()

    found = json.loads(read("manifest.json"))
    with open(report.path, "wb") as page:
        page.write(read("report.html"))
    for key in ("rank", "energy", "noise", "rows", "columns"):
        if found["result"][key] is not None:  # there is no noise without all singular values
            numbers.log_metric(key, found["result"][key])
    result.uri = output_uri.replace("s3a://", "s3://")
    result.metadata["root_digest"] = found["digests"]["root"]


@dsl.pipeline(name="tomobasis", description="Exact, bit-reproducible SVD of a CT series")
def tomobasis(input_uri: str, output_uri: str, rank: str = "full", namespace: str = "tomobasis"):
    from kfp import kubernetes

    step = decompose(
        manifest=json.dumps(application("s3")),
        namespace=namespace,
        run=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
        input_uri=input_uri,
        output_uri=output_uri,
        rank=rank,
    )
    step.set_retry(2)
    step.set_caching_options(False)
    keys = {"access-key": "AWS_ACCESS_KEY_ID", "secret-key": "AWS_SECRET_ACCESS_KEY"}
    kubernetes.use_secret_as_env(step, secret_name="tomobasis-s3", secret_key_to_env=keys)


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).with_name("pipeline.yaml"))
    compiler.Compiler().compile(tomobasis, target)
