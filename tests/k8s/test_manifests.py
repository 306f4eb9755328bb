"""Every folder that k8s/ offers builds, and what comes out is what the API server and the operator accept; what is not, is refused."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import schemas
from running import ROOT

K8S = ROOT / "k8s"
sys.path.insert(0, str(K8S / "submit"))
fields = importlib.import_module("fields")
OVERLAYS = sorted(path.parent for path in K8S.glob("overlays/*/kustomization.yaml"))
FOLDERS = [*OVERLAYS, K8S / "setup", K8S / "files", K8S / "pipelines/setup"]
BAD = sorted((Path(__file__).parent / "bad_examples").glob("*.yaml"))
APPLICATION = "SparkApplication"

pytestmark = pytest.mark.skipif(schemas.kubectl() is None, reason="kubectl is not installed")


def build(folder):
    done = subprocess.run([schemas.kubectl(), "kustomize", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return schemas.load(done.stdout)


def checked(document):
    if document["kind"] == APPLICATION and schemas.operator_schema() is None:
        pytest.skip("the Spark operator's resource definitions cannot be had (they come as a Go module)")
    return schemas.problems(document)


@pytest.fixture(scope="module")
def applications():
    return {folder.name: next(d for d in build(folder) if d["kind"] == APPLICATION) for folder in OVERLAYS}


def pods(application):
    return [application["spec"][role]["template"]["spec"] for role in ("driver", "executor")]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.relative_to(K8S).as_posix())
def test_every_object_of_a_folder_meets_its_schema(folder):
    documents = build(folder)
    assert documents
    found = {f"{d['kind']} {d['metadata']['name']}": checked(d) for d in documents}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("path", BAD, ids=lambda p: p.stem)
def test_a_bad_example_is_refused_with_the_reason(path):
    text = path.read_text()
    expected = text.splitlines()[0].removeprefix("# refused: ")
    lines = [line for document in schemas.load(text) for line in checked(document)]
    assert any(expected in line for line in lines), lines


def test_there_are_bad_examples_of_both_kinds():
    kinds = {document["kind"] == APPLICATION for path in BAD for document in schemas.load(path.read_text())}
    assert kinds == {True, False}


def test_all_values_are_put_in_place(applications):
    left = {name: a for name, a in applications.items() if "from-values" in str(a)}
    assert left == {}
    for application in applications.values():
        assert isinstance(application["spec"]["executor"]["instances"], int)


def test_a_run_is_named_by_its_application_however_that_is_named(applications, tmp_path):
    # Without a run's name the retry of a driver that was killed could not finish what that left unfinished.
    assert {a["spec"]["sparkConf"]["spark.tomobasis.run"] for a in applications.values()} == {"tomobasis"}
    base = os.path.relpath(K8S / "overlays/s3", tmp_path.resolve())
    rename = {"op": "replace", "path": "/metadata/name", "value": "head"}
    patches = [{"target": {"kind": APPLICATION}, "patch": json.dumps([rename])}]
    overlay = {"resources": [base], "namePrefix": "alice-", "patches": patches}
    (tmp_path / "kustomization.yaml").write_text(json.dumps(overlay))
    (application,) = build(tmp_path)
    assert application["metadata"]["name"].startswith("alice-")
    assert application["spec"]["sparkConf"]["spark.tomobasis.run"] == application["metadata"]["name"]


def test_no_property_is_set_beside_the_field_that_wins_over_it(applications):
    for application in applications.values():
        for key in application["spec"]["sparkConf"]:
            assert fields.place(key, "")[0] == ["sparkConf", key]


def test_every_component_is_used_by_an_overlay():
    used = "\n".join((folder / "kustomization.yaml").read_text() for folder in OVERLAYS)
    assert [c.name for c in (K8S / "components").iterdir() if f"components/{c.name}\n" not in used] == []


def test_all_pods_meet_the_restricted_pod_security_standard(applications):
    specs = [spec for application in applications.values() for spec in pods(application)]
    specs += [d["spec"] for d in build(K8S / "files") if d["kind"] == "Pod"]
    for spec in specs:
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["readOnlyRootFilesystem"] is True


def test_spark_submit_without_the_operator_makes_the_same_pods():
    (base,) = (d for d in build(K8S / "base") if d["kind"] == APPLICATION)
    (template,) = schemas.load((K8S / "spark-submit/pod.yaml").read_text())
    for spec in pods(base):
        assert spec.pop("automountServiceAccountToken", None) in (None, False)
        spec["containers"][0]["name"] = template["spec"]["containers"][0]["name"]
        assert spec == template["spec"]


def test_executors_hold_no_token_of_the_cluster(applications):
    for application in applications.values():
        assert pods(application)[1]["automountServiceAccountToken"] is False


def test_roles_are_for_one_namespace_and_name_what_they_allow():
    documents = build(K8S / "setup")
    assert not [d for d in documents if d["kind"].startswith("ClusterRole")]
    for role in (d for d in documents if d["kind"] == "Role"):
        for rule in role["rules"]:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
            assert "secrets" not in rule["resources"]


def test_accounts_that_applications_name_are_made_by_the_setup(applications):
    made = {d["metadata"]["name"] for d in build(K8S / "setup") if d["kind"] == "ServiceAccount"}
    for application in applications.values():
        assert {application["spec"][role]["serviceAccount"] for role in ("driver", "executor")} <= made


def test_memory_is_written_as_spark_and_kubernetes_read_it(applications):
    # For Volcano the operator adds up what it can read as a Kubernetes quantity: 4g is none, and 500m half a byte.
    for application in applications.values():
        for role in ("driver", "executor"):
            for field in ("memory", "memoryOverhead"):
                assert re.fullmatch(r"\d+[GM]", application["spec"][role][field])


def test_a_batch_scheduler_is_named_by_the_pods_too(applications):
    for name in ("volcano", "yunikorn"):
        assert applications[name]["spec"]["batchScheduler"] == name
        assert [spec["schedulerName"] for spec in pods(applications[name])] == [name, name]


def test_keys_of_the_object_store_are_in_no_manifest(applications):
    for name in ("s3", "decommission", "resource-profiles", "volcano", "yunikorn"):
        application = applications[name]
        assert not [key for key in application["spec"]["hadoopConf"] if "key" in key or "secret" in key]
        for role in ("driver", "executor"):
            assert set(application["spec"][role]["envSecretKeyRefs"]) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
