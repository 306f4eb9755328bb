"""`bin/tomobasis-submit --kubernetes` with kubectl and an API server that has another operator's SparkApplication too."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import schemas
from api_server import ApiServer
from running import ROOT, start

pytestmark = pytest.mark.skipif(schemas.kubectl() is None, reason="kubectl is not installed")

COMMAND = [ROOT / "bin/tomobasis-submit", "--kubernetes", "--name", "head"]
PATH = f"{Path(schemas.kubectl() or '/').parent}:{os.environ['PATH']}"
FULL = "sparkapplications.sparkoperator.k8s.io"
JOB = ["--", "--input", "s3a://a/b", "--output", "s3a://c/d"]


def submit(api, folder, *options, config=None):
    return start([*COMMAND, *options, *JOB], PATH=PATH, HOME=str(folder), KUBECONFIG=config or api.config(folder))


def state(application, name, message=""):
    application["status"] = {"applicationState": {"state": name, "errorMessage": message}}


@pytest.fixture
def apaches(api):
    """An application of Apache's operator, with the same name."""
    return api.add({"apiVersion": "spark.apache.org/v1", "kind": "SparkApplication", "metadata": {"name": "head"}})


def test_an_application_of_apaches_operator_is_neither_followed_nor_removed(api, apaches, tmp_path):
    api.on_get = lambda application: state(application, "COMPLETED")
    run = submit(api, tmp_path)
    assert run.code == 0, run.err
    assert "[completed]" in run.err
    assert api.application("head", "spark.apache.org") is apaches
    assert not [path for _, path in api.requests if "spark.apache.org/v1/" in path]


def test_a_driver_that_will_not_start_has_this_operators_application_removed(api, apaches, tmp_path):
    def image_is_missing(application):
        pod = api.add_driver(application, "", phase="Pending")
        pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ErrImagePull"}}

    api.on_create = image_is_missing
    run = submit(api, tmp_path)
    assert run.code == 1
    assert run.errors[0].endswith("The application was removed.")
    assert api.application("head") is None
    assert api.application("head", "spark.apache.org") is apaches


def test_an_application_that_is_deleted_while_it_runs_is_said_to_be(api, tmp_path):
    api.on_get = lambda application: api.applications.pop(("sparkoperator.k8s.io", "tomobasis", "head"))
    run = submit(api, tmp_path)
    assert run.errors == ["error: the application head was deleted while it ran"]


def test_another_application_in_its_place_is_not_taken_for_it(api, tmp_path):
    def replaced(application):
        made = api.add({**application, "status": {}})
        state(made, "COMPLETED")

    api.on_get = replaced
    run = submit(api, tmp_path)
    assert run.code == 1
    assert run.errors == ["error: the application head was deleted while it ran"]


def test_the_failure_of_an_earlier_application_of_this_name_is_not_this_ones(api, tmp_path):
    def driver_is_left(application):
        earlier = {**application, "metadata": {**application["metadata"], "uid": "another"}}
        api.add_driver(earlier, "error: of another run\n", phase="Failed", exit_code=3)
        state(application, "FAILED", "no such image")

    api.on_create = driver_is_left
    run = submit(api, tmp_path)
    assert run.code == 1
    assert run.errors == ["error: the Spark operator could not start the driver: no such image"]


def failed(application, **driver):
    state(application, "FAILED", "driver container failed with ExitCode: 3")
    return {"phase": "Failed", "exit_code": 3, **driver}


def test_the_jobs_error_is_the_termination_message_of_its_driver_whatever_is_in_the_log(api, tmp_path):
    log = "[1/5] scan\nan error: of something else\nerror: --input: it holds no DICOM images\n"
    message = "--input: it holds no DICOM images\n"
    api.on_create = lambda made: api.add_driver(made, log, **failed(made, message=message))
    run = submit(api, tmp_path)
    assert run.code == 3
    assert run.errors == ["error: --input: it holds no DICOM images"]
    assert "an error: of something else" in run.err


def test_a_driver_without_a_termination_message_leaves_the_operators(api, tmp_path):
    api.on_create = lambda made: api.add_driver(made, "[1/5] scan\n", **failed(made))
    run = submit(api, tmp_path)
    assert run.code == 1
    assert len(run.errors) == 1
    assert "the driver ended without a word (driver container failed with ExitCode: 3)" in run.errors[0]


PLUGIN = """#!/bin/sh
if [ -e {made} ]; then echo 'Error: session not found: {full} "head" not found' >&2; exit 1; fi
echo '{credential}'
"""
EXEC = "client.authentication.k8s.io/v1"


@pytest.fixture
def secure(tmp_path):
    """An API server with TLS, without which kubectl asks no plugin for credentials."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    pem = tmp_path / "server.pem"
    words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -keyout {pem} -out {tmp_path}/crt"
    subprocess.run(["openssl", *words.split()], check=True, capture_output=True)
    pem.write_text(pem.read_text() + (tmp_path / "crt").read_text())
    server = ApiServer(pem)
    yield server
    server.close()


def test_a_credential_plugin_that_finds_no_session_is_not_a_deleted_application(secure, tmp_path):
    plugin, made = tmp_path / "plugin", tmp_path / "made"
    credential = json.dumps({"apiVersion": EXEC, "kind": "ExecCredential", "status": {"token": "t"}})
    plugin.write_text(PLUGIN.format(made=made, full=FULL, credential=credential))
    plugin.chmod(0o755)
    config = secure.config(tmp_path, exec={"apiVersion": EXEC, "command": str(plugin), "interactiveMode": "Never"})
    secure.on_create = lambda application: made.touch()
    run = submit(secure, tmp_path, config=config)
    assert run.code == 1
    assert len(run.errors) == 1
    assert run.errors[0].startswith("error: the cluster cannot be reached: ")
    assert run.errors[0].endswith(
        f"The application head is left as it is; to see it: kubectl --namespace tomobasis get {FULL} head"
    )
    assert secure.application("head")


def test_a_name_that_is_taken_is_refused(api, tmp_path):
    api.add({"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "metadata": {"name": "head"}})
    run = submit(api, tmp_path)
    assert run.code == 1
    assert run.errors[0].startswith("error: an application head exists in namespace tomobasis; give another --name")
