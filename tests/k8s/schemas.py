"""What manifests are checked against: Kubernetes' API schemas, and the resource definitions of the Spark operator's release."""

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

KUBERNETES = "1.34"
OPERATOR = "github.com/kubeflow/spark-operator/v2@v2.5.0"
CRD = "charts/spark-operator-chart/crds/sparkoperator.k8s.io_sparkapplications.yaml"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def kubectl():
    """The one of the test environment, else the machine's."""
    beside = Path(sys.executable).parent / "kubectl"
    return str(beside) if beside.exists() else shutil.which("kubectl")


def load(text):
    return [document for document in yaml.load_all(text, LOADER) if document]


@functools.cache
def operator_source():
    """The folder of the operator's release; None where it cannot be had (no Go, no module proxy)."""
    if not shutil.which("go"):
        return None
    done = subprocess.run(
        ["go", "mod", "download", "-json", OPERATOR],
        cwd="/",
        capture_output=True,
        text=True,
        env={**os.environ, "GOFLAGS": "-mod=mod"},
    )
    return None if done.returncode else Path(json.loads(done.stdout)["Dir"])


@functools.cache
def operator_schema():
    """{version: JSON schema} of SparkApplication; None where the release cannot be had."""
    source = operator_source()
    if source is None:
        return None
    definition = load((source / CRD).read_text())[0]
    return {v["name"]: closed(v["schema"]["openAPIV3Schema"]) for v in definition["spec"]["versions"]}


def closed(schema):
    """The schema, with unknown fields refused, as the API server does for what kubectl sends."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    fields = schema.get("properties")
    if isinstance(fields, dict) and schema.get("type") == "object" and not open_ended(schema):
        result["additionalProperties"] = False
    return result


def open_ended(schema):
    metadata = set(schema["properties"]) == set() or schema.get("x-kubernetes-preserve-unknown-fields")
    return metadata or "additionalProperties" in schema


def problems(document):
    """What is wrong with one object: a list of lines, empty when nothing is."""
    if not document["apiVersion"].startswith("sparkoperator.k8s.io/"):
        return builtin(document)
    schema = operator_schema().get(document["apiVersion"].partition("/")[2])
    if schema is None:
        return [f"{document['apiVersion']}: no such version"]
    # Metadata is the API server's own, and has no schema there.
    errors = jsonschema.Draft7Validator(schema).iter_errors({**document, "metadata": {}})
    found = [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]
    # The operator's definition leaves pod templates open.
    templates = {role: document["spec"].get(role, {}).get("template") for role in ("driver", "executor")}
    for role, template in templates.items():
        if template is not None:
            pod = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": role}, "template": template}
            found += [f"{role} {line}" for line in builtin(pod)]
    return found


def builtin(document):
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{'.'.join(map(str, error.path))}: {error.message}"]
    return []
