"""The compiled v1 pipelines, as far as they can be read without a cluster: what they create and run is what the API servers accept."""

import re
import subprocess

import pytest
import yaml

import schemas
from running import ROOT

V1 = ROOT / "k8s/pipelines/v1"
WORKFLOWS = sorted(V1.glob("*.yaml"))
CREATED, STEPS = "create", ["download", "inspect", "clear", "decompose", "render"]


def workflow(path):
    (document,) = schemas.load(path.read_text())
    return document


def templates(document, kind):
    return {t["name"]: t for t in document["spec"]["templates"] if kind in t}


def filled(text):
    """A template's text with some value for each parameter."""
    return re.sub(r"\{\{[^}]*\}\}", "1", text)


def pod(template):
    spec = {"containers": [{"name": "main", **template["container"]}], "volumes": template.get("volumes", [])}
    if started := template.get("initContainers"):
        spec["initContainers"] = started
    return yaml.safe_load(
        filled(yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "step"}, "spec": spec}))
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_the_applications_that_a_workflow_creates_meet_the_operators_schema(path):
    if schemas.operator_schema() is None:
        pytest.skip("the Spark operator's resource definitions cannot be had (they come as a Go module)")
    created = [t["resource"] for t in templates(workflow(path), "resource").values()]
    manifests = [filled(r["manifest"]) for r in created if r["action"] == CREATED]
    assert len(manifests) == 1
    assert schemas.problems(*schemas.load(manifests[0])) == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_the_pods_of_a_workflows_steps_meet_the_restricted_standard(path):
    for template in templates(workflow(path), "container").values():
        made = pod(template)
        assert schemas.problems(made) == []
        for container in [*made["spec"]["containers"], *made["spec"].get("initContainers", [])]:
            context = container["securityContext"]
            assert context["runAsNonRoot"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}


def test_the_steps_of_2020_come_one_after_the_other():
    dag = templates(workflow(V1 / "steps.yaml"), "dag")["tomobasis-steps"]["dag"]
    after = {task["name"]: task.get("dependencies", []) for task in dag["tasks"]}
    assert after == {name: STEPS[i - 1 : i] if i else [] for i, name in enumerate(STEPS)}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_an_application_is_named_by_run_and_step_and_that_of_an_earlier_try_goes_before(path):
    resources = {name: t["resource"] for name, t in templates(workflow(path), "resource").items()}
    manifests = {name: schemas.load(resource["manifest"])[0] for name, resource in resources.items()}
    name = "tomobasis-{{workflow.uid}}-decompose"
    assert {manifest["metadata"]["name"] for manifest in manifests.values()} == {name}
    assert manifests["decompose"]["spec"]["sparkConf"]["spark.tomobasis.run"] == name
    assert (resources["clear"]["action"], resources["decompose"]["action"]) == ("delete", "create")


@pytest.mark.skipif(schemas.kubectl() is None, reason="kubectl is not installed")
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_clearing_deletes_the_earlier_trys_application_and_no_other_and_does_nothing_on_the_first_try(
    path, api, tmp_path
):
    resource = templates(workflow(path), "resource")["clear"]["resource"]
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(filled(resource["manifest"]))
    # What Argo's executor makes of a resource template.
    command = [
        schemas.kubectl(),
        resource["action"],
        "--ignore-not-found",
        *resource["flags"],
        "-f",
        manifest,
        "-o",
        "name",
    ]

    def clear():
        context = ["--kubeconfig", api.config(tmp_path), "-n", "tomobasis"]
        return subprocess.run([*command, *context], capture_output=True, text=True, timeout=60)

    first = clear()
    assert (first.returncode, first.stdout) == (0, ""), first.stderr
    (earlier,) = schemas.load(manifest.read_text())
    other = {**earlier, "metadata": {"name": "other"}}
    for application in (earlier, other):
        api.add(application)
    again = clear()
    assert again.returncode == 0, again.stderr
    assert api.application(earlier["metadata"]["name"]) is None
    assert api.application("other")


def test_the_parameters_of_2020_keep_their_names_and_reach_the_job():
    document = workflow(V1 / "steps.yaml")
    given = {p["name"]: p.get("value") for p in document["spec"]["arguments"]["parameters"]}
    assert (given["k"], given["p"], given["q"], given["method"]) == ("50", "15", "2", "dssvd")
    (manifest,) = schemas.load(templates(document, "resource")["decompose"]["resource"]["manifest"])
    options = dict(zip(*[iter(manifest["spec"]["arguments"])] * 2, strict=True))
    reached = {key: value.strip("{}").rpartition(".")[2] for key, value in options.items() if "inputs" in value}
    assert reached == {"--method": "method", "--rank": "k", "--oversample": "p", "--power-iterations": "q"}


def test_keys_of_the_object_store_are_in_no_workflow():
    for path in WORKFLOWS:
        for template in templates(workflow(path), "container").values():
            for variable in template["container"].get("env", []):
                assert list(variable["valueFrom"]) == ["secretKeyRef"]
