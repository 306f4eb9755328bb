"""The component of k8s/pipelines/v2 as it is compiled, against an API server: whose application it takes for its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import yaml

from running import ROOT

STORE = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}
# What Kubeflow's launcher does: it runs the function that the compiled step holds, here without its annotations, which need kfp, and with
# shorter waits between its questions.
LAUNCHER = """
import json, sys, time, types
sleep = time.sleep
time.sleep = lambda seconds: sleep(seconds / 20)
source, values = json.load(sys.stdin)
class Output(types.SimpleNamespace):
    log_metric = lambda self, key, value: self.metadata.update({key: value})
outputs = {name: Output(path=f"{sys.argv[1]}/{name}", uri="", metadata={}) for name in ("result", "report", "numbers")}
exec(source, space := {})
space["decompose"](**values, **outputs)
print("OUTPUTS", json.dumps({name: {"uri": o.uri, **o.metadata} for name, o in outputs.items()}))
"""
# What a driver that fails wrote: its error is not the only line that begins so.
LOG = "[1/5] scan\nerror: --input: there is no such folder\nerror: of something else\n"


@pytest.fixture(scope="module")
def source():
    """The function's own text in the compiled pipeline."""
    compiled = next(yaml.safe_load_all((ROOT / "k8s/pipelines/v2/pipeline.yaml").read_text()))
    program = compiled["deploymentSpec"]["executors"]["exec-decompose"]["container"]["command"][-1]
    text = program[program.index("def decompose(") :]
    return re.sub(r"(?m)^    (\w+): (str|dsl\..*),$", r"    \1,", text)


class Steps:
    """Steps of pipelines, run one after the other, with the result that each job is to leave in the store."""

    def __init__(self, api, source, folder):
        self.api, self.source, self.folder = api, source, folder
        self.made, self.message = [], "--input: there is no such folder\n"
        api.on_create = self.operator

    def operator(self, application):
        """The job: its result is the input's name."""
        arguments = application["spec"]["arguments"]
        options = dict(zip(arguments[::2], arguments[1::2], strict=True))
        self.made.append(application["metadata"]["name"])
        if options["--input"].endswith("absent"):
            reason = "driver container failed with ExitCode: 3"
            application["status"] = {"applicationState": {"state": "FAILED", "errorMessage": reason}}
            self.api.add_driver(application, LOG, "Failed", 3, message=self.message)
            return
        result = {"rank": 1, "energy": 1, "noise": None, "rows": 1, "columns": 1}
        manifest = {
            "run": {},
            "result": result,
            "digests": {"root": f"root of {options['--input']} {options['--rank']}"},
        }
        folder = options["--output"].removeprefix("s3a:/")
        self.api.files[f"{folder}/manifest.json"] = json.dumps(manifest).encode()
        self.api.files[f"{folder}/report.html"] = b"<html>"
        application["status"] = {"applicationState": {"state": "COMPLETED"}}
        self.api.add_driver(application, "done\n")

    def start(self, run="run-1", step="decompose", series="head", output="out", rank="full", more=None):
        conf = {"fs.s3a.endpoint": f"http://{self.api.host}", "fs.s3a.endpoint.region": "us-east-1"}
        spec = {"mainClass": "io.tomobasis.job.Main", "sparkConf": dict(more or {}), "hadoopConf": conf}
        manifest = {
            "apiVersion": "sparkoperator.k8s.io/v1beta2",
            "kind": "SparkApplication",
            "metadata": {"name": "x"},
            "spec": spec,
        }
        uris = {"input_uri": f"s3a://scans/{series}", "output_uri": f"s3a://results/{output}"}
        values = {"manifest": json.dumps(manifest), "namespace": "tomobasis", "run": run, "step": step, "rank": rank}
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, str(self.folder)],
            env={**os.environ, **STORE, "KUBECONFIG": self.api.config(self.folder), "HOME": str(self.folder)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        process.stdin.write(json.dumps([self.source, values | uris]))
        process.stdin.close()
        return process

    def finish(self, process):
        """(exit code, what it said)"""
        said = process.stdout.read()
        return process.wait(timeout=60), said

    def root(self, **values):
        """The digest of a step that succeeds."""
        code, said = self.finish(self.start(**values))
        assert code == 0, said
        return json.loads(re.search("^OUTPUTS (.*)$", said, re.MULTILINE)[1])["result"]["root_digest"]


@pytest.fixture
def steps(api, source, tmp_path):
    return Steps(api, source, tmp_path)


def test_two_steps_of_a_run_get_each_its_own_result(steps):
    assert steps.root(step="decompose", series="head", output="a") == "root of s3a://scans/head full"
    assert steps.root(step="decompose-2", series="chest", output="b") == "root of s3a://scans/chest full"
    assert len(set(steps.made)) == 2


def test_what_differs_in_run_step_arguments_or_specification_is_another_application(steps):
    differences = [{}, {"rank": "5"}, {"series": "chest"}, {"run": "run-2"}, {"step": "2"}, {"more": {"spark.x": "1"}}]
    for process in [steps.start(**change) for change in differences]:
        code, said = steps.finish(process)
        assert code == 0, said
    assert len(set(steps.made)) == len(differences)


def test_a_step_that_is_tried_again_finds_its_application(steps):
    assert steps.root() == steps.root()
    assert len(steps.made) == 1


def test_an_application_that_failed_is_replaced_when_the_step_is_tried_again(steps):
    code, said = steps.finish(steps.start(series="absent"))
    assert code == 1
    assert "error: --input: there is no such folder" in said
    code, said = steps.finish(steps.start(series="absent"))
    assert code == 1
    assert "it is replaced" in said
    assert len(steps.made) == 2
    assert len(set(steps.made)) == 1


def test_the_error_of_a_step_is_the_termination_message_of_its_driver_whatever_is_in_the_log(steps):
    code, said = steps.finish(steps.start(series="absent"))
    assert code == 1
    assert LOG in said
    assert said.splitlines()[-1] == "error: --input: there is no such folder"


def test_the_error_of_a_driver_without_a_termination_message_is_the_operators(steps):
    steps.message = None
    code, said = steps.finish(steps.start(series="absent"))
    assert code == 1
    assert said.splitlines()[-1] == "error: driver container failed with ExitCode: 3"


def changed(application, how):
    if how == "its arguments":
        application["spec"]["arguments"][1] = "s3a://scans/another"
    else:
        del application["metadata"]["annotations"]


@pytest.mark.parametrize("how", ["its arguments", "who made it"])
def test_an_application_of_the_name_that_is_not_this_steps_is_not_adopted(steps, api, how):
    steps.root()
    changed(api.application(steps.made[0]), how)
    code, said = steps.finish(steps.start())
    assert code == 1
    assert f"error: application {steps.made[0]} in namespace tomobasis is not what this step asks for" in said
    assert api.application(steps.made[0])


def test_an_application_that_is_deleted_while_it_runs_fails_the_step_in_one_line(steps, api):
    api.on_create = lambda application: None
    api.on_get = lambda found: api.applications.pop(("sparkoperator.k8s.io", "tomobasis", found["metadata"]["name"]))
    code, said = steps.finish(steps.start())
    assert code == 1
    assert said.splitlines()[-1].endswith("was deleted while it ran")
    assert "Traceback" not in said


@pytest.mark.parametrize("whose", ["its own", "another's"])
def test_a_step_that_is_cancelled_deletes_its_own_application_only(steps, api, whose):
    made = []
    api.on_create = made.append
    process = steps.start()
    deadline = time.monotonic() + 60
    while not made and time.monotonic() < deadline:
        time.sleep(0.05)
    if whose == "another's":
        changed(made[0], "who made it")
    process.send_signal(signal.SIGTERM)
    code, said = steps.finish(process)
    assert code == 1
    assert "cancelled" in said
    assert (api.application(made[0]["metadata"]["name"]) is None) == (whose == "its own")


@pytest.mark.parametrize("run", ["", "{{$.pipeline_job_uuid}}"])
def test_a_run_without_an_id_is_refused(steps, run):
    code, said = steps.finish(steps.start(run=run))
    assert code == 1
    assert said.startswith("error: run: ")
    assert steps.made == []
