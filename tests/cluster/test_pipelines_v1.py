"""The v1 pipelines as they are compiled, on a real Argo controller with the real operator."""

import json
import os
import subprocess
import tempfile

import pytest
import yaml

import images
from build import BINARIES, SOURCES
from cluster import APPLICATIONS, LONGEST
from kits import PIPELINES, compiled
from oracle import result
from running import tomobasis
from store import REGION
from waiting import wait_for

EXECUTOR = "localhost/argoexec:1"  # runs a workflow's steps, and writes manifests to /tmp
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "runAsUser": 65534,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.fixture(scope="module")
def argo(cluster):
    """Argo's controller for the job's namespace, its executor image loaded, what pipelines need set up."""
    if not os.environ.get("TOMOBASIS_NODE_ADDRESS"):
        pytest.skip("Argo is started on a cluster of our own only")
    if not (BINARIES / "workflow-controller").exists():
        pytest.skip("Argo is not built: tests/cluster/build.py argo")
    cluster.kubectl("apply", "-k", PIPELINES / "setup")
    definitions = SOURCES / "argo/manifests/base/crds/minimal"
    for path in sorted(definitions.glob("argoproj*.yaml")):
        cluster.kubectl("apply", "--server-side", "-f", path)
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    images.load(EXECUTOR, {"bin/argoexec": BINARIES / "argoexec"}, "--entrypoint", "argoexec", folders=["tmp"])
    settings = {
        "executor": json.dumps({"securityContext": RESTRICTED}),
        "workflowDefaults": json.dumps({"spec": {"securityContext": {"runAsNonRoot": True, "runAsUser": 65534}}}),
    }
    literals = [f"--from-literal={key}={value}" for key, value in settings.items()]
    cluster.apply("create", "configmap", "workflow-controller-configmap", *literals)
    options = f"""--kubeconfig {os.environ["KUBECONFIG"]} --namespaced --namespace {cluster.namespace}
        --managed-namespace {cluster.namespace} --executor-image {EXECUTOR} --executor-image-pull-policy Never"""
    identity = {
        "ARGO_NAMESPACE": cluster.namespace,
        "LEADER_ELECTION_DISABLE": "true",
        "LEADER_ELECTION_IDENTITY": "one",
    }
    with open(os.path.join(tempfile.gettempdir(), "tomobasis-argo.log"), "w") as log:
        process = subprocess.Popen(
            [BINARIES / "workflow-controller", *options.split()], stdout=log, stderr=log, env={**os.environ, **identity}
        )
    yield cluster
    process.kill()
    process.wait()


def start_workflow(cluster, folder, input_uri, output_uri):
    return start(cluster, folder, "pipeline", "s3", {"input_uri": input_uri, "output_uri": output_uri})


def start(cluster, folder, program, overlay, values):
    """Creates a compiled workflow with this run's parameters; returns it."""
    never = {"op": "replace", "path": "/spec/restartPolicy", "value": {"type": "Never"}}
    text = compiled("v1", folder / "compiled.yaml", program, TOMOBASIS_OVERLAY=str(cluster.overlay(overlay, never)))
    workflow = yaml.safe_load(text)
    for parameter in workflow["spec"]["arguments"]["parameters"]:
        parameter["value"] = values.get(parameter["name"], parameter.get("value"))
    create = ["-n", cluster.namespace, "create", "-o", "json", "-f", "-"]
    return json.loads(cluster.kubectl(*create, stdin=json.dumps(workflow)).stdout)


def at_its_end(cluster, workflow):
    """The workflow as it is when it has ended."""
    name = workflow["metadata"]["name"]

    def ended():
        found = cluster.get("workflow", name)
        return found if found.get("status", {}).get("phase") in ("Succeeded", "Failed", "Error") else None

    return wait_for(LONGEST, f"workflow {name}", ended)


def application_of(workflow):
    return f"tomobasis-{workflow['metadata']['uid']}-decompose"


def test_the_v1_pipeline_succeeds_with_the_laptops_result(argo, bucket, scan, tmp_path):
    workflow = at_its_end(argo, start_workflow(argo, tmp_path, bucket.uri("series"), bucket.uri("workflow")))
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"]
    assert argo.get(APPLICATIONS, application_of(workflow))
    scan.same_as(bucket.get("workflow", tmp_path / "result"))


def test_a_failing_job_fails_the_v1_step(argo, bucket, tmp_path):
    workflow = at_its_end(argo, start_workflow(argo, tmp_path, bucket.uri("absent"), bucket.uri("workflow-failed")))
    assert workflow["status"]["phase"] == "Failed"
    assert "failure condition" in json.dumps(workflow["status"])
    assert argo.get(APPLICATIONS, application_of(workflow))
    argo.kubectl("-n", argo.namespace, "delete", "workflow", workflow["metadata"]["name"])
    gone = "the application to go with its run"
    wait_for(LONGEST, gone, lambda: argo.get(APPLICATIONS, application_of(workflow)) is None)


def test_terminating_the_run_deletes_the_application(argo, bucket, tmp_path):
    workflow = start_workflow(argo, tmp_path, bucket.uri("series"), bucket.uri("workflow-terminated"))
    name = application_of(workflow)
    argo.running_pod(name, "driver")
    # What Kubeflow's page "Terminate" does.
    patch = ["patch", "workflow", workflow["metadata"]["name"], "--type=merge", "-p"]
    argo.kubectl("-n", argo.namespace, *patch, '{"spec": {"activeDeadlineSeconds": 0}}')
    assert at_its_end(argo, workflow)["status"]["phase"] == "Failed"
    wait_for(LONGEST, "the driver to end", lambda: argo.pods(name, "driver") == [])
    assert argo.get(APPLICATIONS, name) is None


def steps(cluster, bucket, source, folder, **more):
    values = {"source": bucket.uri(source), "endpoint": cluster.endpoint, "region": REGION, **more}
    return at_its_end(cluster, start(cluster, folder, "steps", "pvc", values))


def test_the_four_steps_of_2020_end_in_pictures_and_in_the_laptops_result(argo, volume, bucket, scan, tmp_path):
    sketch = {"k": "12", "p": "5", "q": "1"}
    workflow = steps(argo, bucket, "series", tmp_path, **sketch, slices="1,50%", composites="3,100%")
    assert workflow["status"]["phase"] == "Succeeded", workflow["status"]
    folder = volume / workflow["metadata"]["uid"]
    assert len(list((folder / "series").iterdir())) == scan.slices
    found = result.read(folder / "result").manifest["parameters"]
    assert (found["method"], found["rank"], found["oversample"], found["power_iterations"]) == ("dssvd", "12", 5, 1)
    run = tomobasis("verify", folder / "result", "--input", scan.folder)
    assert run.code == 0, run.err
    pictures = sorted(path.relative_to(folder / "pictures").as_posix() for path in folder.glob("pictures/**/*.png"))
    of_slice = [f"slice-{n:05}/{name}.png" for n in (1, scan.slices // 2 + 1) for name in ("composites", "differences")]
    assert pictures == ["basis.png", *of_slice, "spectrum.png"]


def test_a_step_that_finds_nothing_to_do_fails_and_the_others_do_not_start(argo, volume, bucket, tmp_path):
    workflow = steps(argo, bucket, "absent", tmp_path)
    assert workflow["status"]["phase"] in ("Failed", "Error")
    ran = {node["templateName"] for node in workflow["status"]["nodes"].values() if node["type"] == "Pod"}
    assert "download" in ran
    assert not ran & {"inspect", "decompose", "render"}
