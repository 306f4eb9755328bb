"""`bin/tomobasis-submit --kubernetes` as far as it goes without a cluster: what it renders, what it refuses, how it reads pods."""

import importlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import schemas
from running import ROOT, start

sys.path.insert(0, str(ROOT / "k8s/submit"))
fields, reasons = importlib.import_module("fields"), importlib.import_module("reasons")

needs_kubectl = pytest.mark.skipif(schemas.kubectl() is None, reason="kubectl is not installed")

COMMAND = [ROOT / "bin/tomobasis-submit", "--kubernetes"]
PATH = f"{Path(schemas.kubectl() or '/').parent}:{os.environ['PATH']}"


def submit(*arguments, **environment):
    return start([*COMMAND, *arguments], **{"PATH": PATH, **environment})


def printed(*arguments):
    run = submit("--print", *arguments)
    assert run.code == 0, run.err
    return schemas.load(run.out)[0]


@needs_kubectl
def test_options_of_the_job_become_its_arguments():
    job = ["--input", "s3a://a b/c", "--output", "s3a://x/$HOME", "--rank", "50"]
    assert printed("--", *job)["spec"]["arguments"] == job


@needs_kubectl
def test_what_is_not_given_is_as_in_the_values():
    default = printed("--overlay", "pvc", "--name", "one", "--")
    built = subprocess.run([schemas.kubectl(), "kustomize", ROOT / "k8s/overlays/pvc"], capture_output=True, text=True)
    expected = schemas.load(built.stdout)[0]
    expected["metadata"]["name"] = expected["spec"]["sparkConf"]["spark.tomobasis.run"] = "one"
    assert default == expected


@needs_kubectl
def test_options_change_the_application():
    options = "--overlay minikube --namespace lab --name head-1 --image registry/tomobasis:2 --executors 5"
    application = printed(*options.split(), "--conf", "spark.a/b~c=1=2", "--", "--input", "x", "--output", "y")
    assert application["metadata"]["name"] == "head-1"
    assert application["metadata"]["namespace"] == "lab"
    assert application["spec"]["image"] == "registry/tomobasis:2"
    assert application["spec"]["executor"]["instances"] == 5
    assert application["spec"]["sparkConf"]["spark.a/b~c"] == "1=2"
    if schemas.operator_schema():
        assert schemas.problems(application) == []


@needs_kubectl
@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("spark.driver.memoryOverhead=2g", "driver.memoryOverhead", "2G"),
        ("spark.executor.memory=500m", "executor.memory", "500M"),
        ("spark.executor.cores=3", "executor.cores", 3),
        ("spark.executor.instances=5", "executor.instances", 5),
        ("spark.kubernetes.driver.request.cores=200m", "driver.coreRequest", "200m"),
        ("spark.kubernetes.container.image=x:1", "image", "x:1"),
        ("spark.dynamicAllocation.enabled=true", "dynamicAllocation.enabled", True),
        ("spark.hadoop.fs.s3a.endpoint=http://store", "hadoopConf.fs/s3a/endpoint", "http://store"),
        ("spark.kubernetes.driverEnv.A_B=c", "driver.envVars.A_B", "c"),
        ("spark.kubernetes.executor.secretKeyRef.K=s:k", "executor.envSecretKeyRefs.K", {"name": "s", "key": "k"}),
    ],
)
def test_a_property_that_has_a_field_is_written_into_the_field(setting, path, value):
    # The field wins over the property: beside it the property would have no effect.
    application = printed("--conf", setting, "--")
    found = application["spec"]
    for step in path.split("."):
        found = found[step.replace("/", ".")]
    assert found == value
    assert setting.partition("=")[0] not in application["spec"]["sparkConf"]
    if schemas.operator_schema():
        assert schemas.problems(application) == []


@needs_kubectl
def test_executors_that_come_and_go_are_as_many_as_are_asked_for():
    spec = printed("--overlay", "resource-profiles", "--executors", "7", "--")["spec"]
    assert (spec["executor"]["instances"], spec["dynamicAllocation"]["maxExecutors"]) == (7, 7)
    assert "dynamicAllocation" not in printed("--executors", "7", "--")["spec"]


def test_no_property_that_the_operator_writes_is_left_to_sparkConf():
    source = schemas.operator_source()
    if source is None:
        pytest.skip("the Spark operator's source cannot be had (it comes as a Go module)")
    names = dict(re.findall(r'(\w+) += "(spark\.[^"]+)"', (source / "pkg/common/spark.go").read_text()))
    program = (source / "internal/controller/sparkapplication/submission.go").read_text()
    used = {names[name] for name in re.findall(r"common\.(Spark\w+)", program) if name in names}
    assert len(used) > 30
    # Volumes and secrets as files: our templates have them. The rest is of fields that spark-submit gets before sparkConf.
    ours = ("volumes.", ".secrets.", "driver.master", "service.label", "service.annotation", "pyspark", "pullSecrets")
    prefixes = {name.partition("%s")[0] for name in used if not any(word in name for word in ours)}
    known = {*fields.FIELDS, *fields.MAPS, *fields.OPERATORS}
    assert prefixes - known == set()


@needs_kubectl
def test_two_runs_have_two_names():
    names = {printed("--")["metadata"]["name"] for _ in range(2)}
    assert len(names) == 2


@needs_kubectl
def test_an_overlay_of_the_users_own_is_found_by_its_path(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    base = os.path.relpath(ROOT / "k8s/overlays/s3", folder.resolve())
    (folder / "kustomization.yaml").write_text(f"resources: [{base}]\n")
    assert printed("--overlay", folder, "--")["spec"]["hadoopConf"]


@needs_kubectl
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--print"], "put --"),
        (["--overlay", "moon", "--"], "no overlay 'moon'; there are decommission, minikube"),
        (["--conf", "spark.cores", "--"], "'spark.cores' is not KEY=VALUE"),
        (["--conf", "spark.executor.cores=two", "--"], "spark.executor.cores is a whole number, not 'two'"),
        (["--conf", "spark.kubernetes.namespace=lab", "--"], "set by the Spark operator; use --namespace"),
        (["--image", "a", "--conf", "spark.kubernetes.container.image=b", "--"], "and --image set the same"),
        (["--name", "2026-head", "--"], "--name: '2026-head' is not"),
    ],
)
def test_bad_usage_gets_one_line(arguments, says):
    run = submit(*arguments)
    assert run.code == 2
    assert len(run.err.splitlines()) == 1
    assert run.err.startswith("error: ")
    assert says in run.err


def cluster_at(port, folder):
    """KUBECONFIG for an API server at this port."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": "x"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"https://127.0.0.1:{port}"}}],
    }
    (folder / "config").write_text(json.dumps(content))
    return str(folder / "config")


@needs_kubectl
def test_a_cluster_out_of_reach_is_said_in_one_line(tmp_path):
    run = submit("--", "--input", "x", "--output", "y", KUBECONFIG=cluster_at(1, tmp_path))
    assert run.code == 1
    assert run.err.startswith("error: the cluster cannot be reached")
    assert len(run.err.splitlines()) == 1


@needs_kubectl
def test_an_interrupt_before_the_cluster_has_answered_is_said_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        environment = {**os.environ, "PATH": PATH, "KUBECONFIG": cluster_at(silent.getsockname()[1], tmp_path)}
        command = [*COMMAND, "--name", "one", "--delete-on-interrupt", "--", "--input", "x", "--output", "y"]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        with silent.accept()[0]:
            process.terminate()
            error = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert error == (
        "error: interrupted while one was being made; "
        "to see whether it was: kubectl --namespace tomobasis get sparkapplications.sparkoperator.k8s.io one\n"
    )


def test_without_kubectl_it_says_what_is_missing(tmp_path):
    (tmp_path / "python3").symlink_to(os.path.realpath(sys.executable))
    for tool in ("bash", "dirname", "readlink"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    run = submit("--", PATH=str(tmp_path))
    assert run.code == 2
    assert run.err.startswith("error: kubectl is not on the PATH")


def pod(state=None, role="driver", conditions=(), reason=None):
    """A pod as the API gives it, as far as it matters here."""
    resources = {"requests": {"cpu": "1", "memory": "5Gi"}, "limits": {"memory": "5Gi"}}
    return {
        "metadata": {"name": "p", "uid": "u", "labels": {"spark-role": role}},
        "spec": {"containers": [{"name": "spark", "image": "localhost/absent:1", "resources": resources}]},
        "status": {
            "conditions": list(conditions),
            "containerStatuses": [{"state": state}] if state else [],
            **({"reason": reason} if reason else {}),
        },
    }


def waiting(reason, message=""):
    return pod({"waiting": {"reason": reason, "message": message}})


def unscheduled(message):
    return pod(conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (reasons.unstartable(waiting("ErrImagePull")), ("image cannot be pulled", "localhost/absent:1", "--image")),
        (reasons.unstartable(waiting("ErrImageNeverPull")), ("image cannot be pulled",)),
        (
            reasons.unstartable(waiting("CreateContainerConfigError", 'secret "tomobasis-s3" not found')),
            ("tomobasis-s3",),
        ),
        (reasons.pending(unscheduled("0/3 nodes are available: 3 Insufficient memory.")), ("enough memory", "5Gi")),
        (reasons.pending(unscheduled("0/1 nodes are available: 1 Insufficient cpu.")), ("enough cpu", "1 cpu")),
        (
            reasons.pending(unscheduled("pod group is not ready, 1 Pending, 1 minAvailable")),
            ("all of its pods", "ask for less"),
        ),
        (reasons.unexplained(pod()), ("all of its pods", "ask for less")),
        (reasons.pending(unscheduled("1 node(s) had untolerated taint {a: b}")), ("tolerations",)),
        (reasons.pending(unscheduled("pod has unbound immediate PersistentVolumeClaims")), ("volume", "pvc")),
        (reasons.killed(pod({"terminated": {"exitCode": 137, "reason": "OOMKilled"}})), ("5Gi", "memoryOverhead")),
        (reasons.killed(pod({"terminated": {"exitCode": 137, "reason": "Error"}})), ("from outside", "137")),
        (reasons.submission('pods "x" is forbidden: exceeded quota: q, requested: cpu=2'), ("quota", "cpu=2")),
        (reasons.submission('pods "x" is forbidden: violates PodSecurity "restricted"'), ("pod security",)),
        (reasons.submission('User "operator" cannot create: Forbidden'), ("may not create pods",)),
    ],
)
def test_each_hindrance_is_told_apart_and_says_what_to_do(said, words):
    assert said
    assert "\n" not in said
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("state", [{"running": {}}, {"waiting": {"reason": "ContainerCreating"}}, None])
def test_a_pod_that_gets_on_is_left_alone(state):
    assert reasons.unstartable(pod(state)) is None
    assert reasons.pending(pod(state)) is None
    assert reasons.killed(pod(state)) is None


def test_a_driver_that_ended_by_itself_was_not_killed():
    assert reasons.killed(pod({"terminated": {"exitCode": 3, "reason": "Error"}})) is None
    assert reasons.killed(pod({"terminated": {"exitCode": 0, "reason": "Completed"}})) is None
