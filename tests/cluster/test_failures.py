"""What a user is told when a run fails in the cluster: one line, each failure told apart, with what to do."""

import json
import signal

import pytest

from cluster import APPLICATIONS
from running import ROOT
from test_decompose import job


def fails(cluster, bucket, name, says, *options, changes=(), code=1, arguments=None, config=None):
    never = {"op": "replace", "path": "/spec/restartPolicy", "value": {"type": "Never"}}
    overlay = cluster.overlay("s3", never, *changes)
    run = cluster.submit(name, overlay, arguments or job(bucket, name), *options, config=config)
    assert run.code == code, run.err
    assert len(run.errors) == 1, run.err
    assert [word for word in says if word not in run.errors[0]] == [], run.errors[0]
    return run


def gone(cluster, name):
    application = cluster.get(APPLICATIONS, name)
    return application is None or "deletionTimestamp" in application["metadata"]


def test_an_image_that_is_not_there(cluster, bucket):
    fails(cluster, bucket, "no-image", ["image cannot be pulled", "absent:1"], "--image", "localhost/absent:1")
    assert gone(cluster, "no-image")


def test_a_secret_that_is_not_there(cluster, bucket):
    key = "/spec/driver/envSecretKeyRefs/AWS_ACCESS_KEY_ID/name"
    fails(cluster, bucket, "no-secret", ["absent-secret", "not found"],
          changes=[{"op": "replace", "path": key, "value": "absent-secret"}])  # fmt: skip
    assert gone(cluster, "no-secret")


def test_a_driver_too_large_for_every_node(cluster, bucket):
    large = {"op": "replace", "path": "/spec/driver/memory", "value": "9000g"}
    fails(cluster, bucket, "too-large", ["waits for a node", "enough memory"], "--patience", "5", changes=[large])
    assert gone(cluster, "too-large")


def test_a_scheduler_that_does_not_run(cluster, bucket):
    absent = {"op": "add", "path": "/spec/driver/template/spec/schedulerName", "value": "absent"}
    fails(
        cluster, bucket, "no-scheduler", ["waits for absent", "that absent runs"], "--patience", "5", changes=[absent]
    )
    assert gone(cluster, "no-scheduler")


def test_a_driver_that_needs_more_memory_than_it_may_have(cluster, bucket):
    options = "/spec/sparkConf/spark.driver.defaultJavaOptions"
    changes = [
        {"op": "replace", "path": "/spec/driver/memory", "value": "600m"},
        {"op": "replace", "path": "/spec/driver/memoryOverhead", "value": "10m"},
        {"op": "replace", "path": options, "value": "-Xms600m -XX:+AlwaysPreTouch"},
    ]
    fails(cluster, bucket, "no-memory", ["driver was killed", "610Mi", "memoryOverhead"], changes=changes)


def test_a_namespace_without_setup_rights(cluster, bucket):
    config = json.loads(cluster.users_config.read_text())
    config["users"][0]["user"]["as"] = "mallory"
    path = cluster.folder / "mallory"
    path.write_text(json.dumps(config))
    path.chmod(0o600)
    fails(cluster, bucket, "no-rights", ["may not create", "tomobasis-submitter"], config=path)


def test_a_missing_service_account(cluster, bucket):
    account = {"op": "replace", "path": "/spec/driver/serviceAccount", "value": "absent"}
    fails(cluster, bucket, "no-account", ["service account", "k8s/setup"], changes=[account])


def test_a_scan_that_is_not_there_keeps_the_jobs_own_words_and_code(cluster, bucket):
    arguments = ["--input", bucket.uri("absent"), "--output", bucket.uri("no-scan")]
    fails(cluster, bucket, "no-scan", ["--input: there is no such folder"], arguments=arguments, code=3)


def test_a_name_that_is_taken(cluster, bucket):
    run = fails(cluster, bucket, "no-scan", ["application no-scan exists", "--name"])
    assert "[" not in run.err


@pytest.mark.parametrize(
    ("name", "sent", "interrupt"),
    [("stopped", signal.SIGINT, signal.SIG_DFL), ("killed-in-the-background", signal.SIGTERM, signal.SIG_IGN)],
)
def test_an_interrupt_removes_the_application_when_asked(name, sent, interrupt, cluster, bucket):
    words = [name, cluster.overlay(), job(bucket, name), "--delete-on-interrupt"]
    process = cluster.submission(*words, interrupt=interrupt)
    cluster.running_pod(name, "driver")
    process.send_signal(sent)
    run = cluster.finish(process, 60)
    assert run.code == 130, run.err
    assert "removed" in run.err
    assert gone(cluster, name)
    assert "Traceback" not in run.err


@pytest.mark.parametrize("folder", sorted((ROOT / "k8s/overlays").iterdir()), ids=lambda f: f.name)
def test_the_api_server_accepts_every_overlay(folder, cluster):
    cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-k", folder)


@pytest.mark.parametrize("path", sorted((ROOT / "tests/k8s/bad_examples").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_api_server_refuses_the_bad_examples_too(path, cluster):
    if path.stem == "template_without_container":
        pytest.skip("the operator's definition leaves pod templates open; our own tests read them")
    done = cluster.kubectl(
        "-n", cluster.namespace, "create", "--dry-run=server", "--validate=strict", "-f", path, check=False
    )
    assert done.returncode != 0
    assert any(
        word in done.stderr for word in ("is invalid", "BadRequest", "denied the request", "no matches for kind")
    ), done.stderr
