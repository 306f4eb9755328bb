#!/usr/bin/env python3
"""Kubeflow Pipelines v2: one decomposition as a component, which v2's want of a ResourceOp makes a program of its own.

It creates the SparkApplication and stays with it: the driver's log is the component's log, a step that is retried finds its own
application (that of the same run, step, arguments and specification) and goes on watching it, or makes it anew where it failed; a step
that is cancelled deletes it. What comes out are artifacts that Kubeflow's pages show: the
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
    step: str,
    input_uri: str,
    output_uri: str,
    rank: str,
    result: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    numbers: dsl.Output[dsl.Metrics],
):
    """Runs one SparkApplication to its end.

    manifest: the application as JSON; run, step: what is the same in every try of this step and in no other one.
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

    if not run or "{{" in run:
        sys.exit(
            f"error: run: {run!r} is not the id of a run; without one, results of other runs could be taken for this one's"
        )
    body = json.loads(manifest)
    body["spec"]["arguments"] = ["--input", input_uri, "--output", output_uri, "--rank", rank]
    asked = json.dumps([run, step, body["spec"]], sort_keys=True)
    request = hashlib.sha256(asked.encode()).hexdigest()
    name = f"tomobasis-{request[:16]}"
    body["metadata"]["name"] = body["spec"]["sparkConf"]["spark.tomobasis.run"] = name
    body["metadata"].setdefault("annotations", {})["tomobasis.io/request"] = request
    known = ("arguments", "mainClass", "mainApplicationFile")

    def get():
        """The application of this name; None where there is none."""
        try:
            return objects.get_namespaced_custom_object(name=name, **kind)
        except client.ApiException as refused:
            if refused.status != 404:
                raise
            return None

    def ours(found):
        """Whether it was made for this request, and still is what was asked for."""
        marked = found["metadata"].get("annotations", {}).get("tomobasis.io/request") == request
        return marked and all(found["spec"].get(key) == body["spec"].get(key) for key in known)

    def state_of(found):
        return found.get("status", {}).get("applicationState", {}).get("state") or "NEW"

    def delete(found, pods):
        """Deletes this very application and its pods; one that is gone or replaced meanwhile is not there any more."""
        this = client.V1DeleteOptions(
            preconditions=client.V1Preconditions(uid=found["metadata"]["uid"]), propagation_policy=pods
        )
        try:
            objects.delete_namespaced_custom_object(name=name, body=this, **kind)
        except client.ApiException as refused:
            if refused.status not in (404, 409):
                raise

    def cancelled(*_):
        found = get()
        if found is None or not ours(found):
            sys.exit("cancelled; there is no application of this step")
        delete(found, pods="Background")
        sys.exit("cancelled; the application was deleted")

    def create():
        """This request's application: a new one, or that of an earlier try which did not fail."""
        while True:
            try:
                made = objects.create_namespaced_custom_object(body=body, **kind)
                print(f"application {name} in namespace {namespace}", flush=True)
                return made
            except client.ApiException as refused:
                if refused.status != 409:
                    raise
            found = get()
            if found is None:
                continue
            if not ours(found):
                sys.exit(
                    f"error: application {name} in namespace {namespace} is not what this step asks for; delete it, and retry"
                )
            leaves = "deletionTimestamp" in found["metadata"]
            if not leaves and state_of(found) != "FAILED":
                print(f"application {name} is there already: an earlier try of this step made it", flush=True)
                return found
            if not leaves:
                print(f"application {name} of an earlier try failed: it is replaced", flush=True)
                delete(found, pods="Foreground")  # it stays until they are gone: the new driver has the old one's name
            time.sleep(1)

    signal.signal(signal.SIGTERM, cancelled)
    uid = create()["metadata"]["uid"]

    messages, copied = {}, {}

    def copy_log(pod, follow):
        log = pods.read_namespaced_pod_log(pod.metadata.name, namespace, follow=follow, _preload_content=False)
        for line in itertools.islice(log, copied.get(pod.metadata.uid, 0), None):
            copied[pod.metadata.uid] = copied.get(pod.metadata.uid, 0) + 1
            print(line.decode(errors="replace").rstrip("\n"), flush=True)

    def drivers():
        """Those of this application: not what is left of an earlier one of its name."""
        labels = f"sparkoperator.k8s.io/app-name={name},spark-role=driver"
        listed = pods.list_namespaced_pod(namespace, label_selector=labels).items
        owned = [(pod, {owner.uid for owner in pod.metadata.owner_references or ()}) for pod in listed]
        return [pod for pod, owners in owned if not owners or uid in owners]

    def keep_message(pod):
        """Keeps an ended driver's termination message, the job's one error line: its pod may be gone when that is wanted."""
        for container in pod.status.container_statuses or ():
            ended = container.state and container.state.terminated
            if ended and (ended.message or "").strip():
                messages[pod.metadata.uid] = ended.message.strip()

    logs, state = {}, None
    while state not in ("COMPLETED", "FAILED"):
        time.sleep(2)
        found = get()
        if found is None or found["metadata"]["uid"] != uid:
            sys.exit(f"error: the application {name} was deleted while it ran")
        if state_of(found) != state:
            state = state_of(found)
            print(f"[{state.lower()}]", flush=True)
        for pod in drivers():
            keep_message(pod)
            if pod.metadata.uid not in logs and pod.status.phase in ("Running", "Succeeded", "Failed"):
                logs[pod.metadata.uid] = threading.Thread(target=copy_log, args=(pod, True), daemon=True)
                logs[pod.metadata.uid].start()
    for thread in logs.values():
        thread.join(10)
    for pod in drivers():
        keep_message(pod)
        copy_log(pod, follow=False)  # a connection that breaks ends a followed log without an error
    if state == "FAILED":
        message = found["status"]["applicationState"].get("errorMessage", "the job failed")
        sys.exit(f"error: {[message, *messages.values()][-1]}")

    hadoop = body["spec"]["hadoopConf"]
    scheme, _, host = hadoop["fs.s3a.endpoint"].partition("://")
    store = fs.S3FileSystem(endpoint_override=host, scheme=scheme, region=hadoop["fs.s3a.endpoint.region"])

    def read(file):
        with store.open_input_stream(f"{output_uri.partition('://')[2]}/{file}") as data:
            return data.read()

    found = json.loads(read("manifest.json"))
    with open(report.path, "wb") as page:
        page.write(read("/".join(filter(None, [found["run"].get("folder"), "report.html"]))))
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
        step=dsl.PIPELINE_TASK_NAME_PLACEHOLDER,
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
