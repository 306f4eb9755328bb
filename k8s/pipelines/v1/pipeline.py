#!/usr/bin/env python3
"""Kubeflow Pipelines v1: one decomposition as a step, by a ResourceOp. Compiled by kfp 1.8 into pipeline.yaml beside this file.

The step creates the SparkApplication and waits for its state; it fails when the job fails. The application belongs to the workflow: who
deletes the run deletes it, and so does who terminates the run while it is under way. docs/kubernetes.md says what the namespace must hold.
"""

import sys
import tempfile
from pathlib import Path

import kfp
from kfp import dsl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from overlay import VALUES, application

API = "sparkoperator.k8s.io/v1beta2"
STEP = "decompose"
# By the run (the workflow's own id) and the step: no other step's application has this name, and a retry of the step finishes what the
# try before it left unfinished.
NAME = f"tomobasis-{dsl.RUN_ID_PLACEHOLDER}-{STEP}"
STATE = "status.applicationState.state"
AT_EXIT = "at-exit"


def uncached(step):
    """Kubeflow would take a step of an earlier run for this one: it compares templates, in which runs are placeholders."""
    step.enable_caching = False
    step.add_pod_annotation("pipelines.kubeflow.org/max_cache_staleness", "P0D")
    return step


def named():
    return {"apiVersion": API, "kind": "SparkApplication", "metadata": {"name": NAME}}


def resource(manifest, image, options, after=None):
    """The step that runs `manifest`, a SparkApplication, with the job's options (a dict).

    Before it, the application of an earlier try goes, which has ended: a workflow that is retried has the id that it had.
    """
    flags = ["--cascade=foreground", "--wait=true"]
    cleared = uncached(dsl.ResourceOp(name="clear", k8s_resource=named(), action="delete", flags=flags))
    if after:
        cleared.after(after)
    manifest["metadata"]["name"] = manifest["spec"]["sparkConf"]["spark.tomobasis.run"] = NAME
    manifest["spec"]["image"] = str(image)
    manifest["spec"]["arguments"] = [str(word) for pair in options.items() for word in pair]
    made = dsl.ResourceOp(
        name=STEP,
        k8s_resource=manifest,
        action="create",
        set_owner_reference=True,
        success_condition=f"{STATE} == COMPLETED",
        failure_condition=f"{STATE} == FAILED",
        attribute_outputs={"application": "{.metadata.name}", "message": "{.status.applicationState.errorMessage}"},
    ).set_timeout(6 * 3600)
    return uncached(made).after(cleared)


@dsl.pipeline(name=AT_EXIT)
def at_exit():
    """What runs when the workflow ends, be it that someone terminates it: an application that still runs is deleted, with its pods; one
    that has ended is left as it is, with its logs."""
    found = dsl.ResourceOp(
        name="state", k8s_resource=named(), action="get", attribute_outputs={"state": f"{{.{STATE}}}"}
    )
    state = uncached(found).outputs["state"]
    with dsl.Condition(state != "COMPLETED"), dsl.Condition(state != "FAILED"):
        uncached(dsl.ResourceOp(name="delete", k8s_resource=named(), action="delete"))


def compiled(pipeline):
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        kfp.compiler.Compiler().compile(pipeline, file.name)
        return Path(file.name).read_text()


def write(pipeline, target, specification=""):
    """Compiles the pipeline with `at_exit`, and with more lines of the workflow's specification.

    kfp takes one step for what runs at the exit, and volumes without their group, so both are put into its text.
    """
    templates = compiled(at_exit).partition("\n  templates:\n")[2].partition("\n  arguments:\n")[0]
    before, arguments, after = compiled(pipeline).partition("\n  arguments:\n")
    text = f"{before}\n{templates}{arguments}{after}  onExit: {AT_EXIT}\n{specification}"
    Path(target).write_text(text)


@dsl.pipeline(name="tomobasis", description="Exact, bit-reproducible SVD of a CT series")
def decompose(input_uri: str, output_uri: str, rank: str = "full", image: str = VALUES["image"]):
    resource(application("s3"), image, {"--input": input_uri, "--output": output_uri, "--rank": rank})


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).with_name("pipeline.yaml"))
    write(decompose, target)
