"""The operator with and without its webhook, upgraded under a running job, and what a user hears of it when it refuses or is away."""

from cluster import LONGEST
from spark_operator import NAMESPACE
from test_decompose import ends_well, job, running_submission
from test_failures import fails, gone
from waiting import wait_for

CONFIGURATION = "validatingwebhookconfiguration/spark-operator-webhook"
AT_BOTH = [
    {"op": "add", "path": f"/spec/{place}nodeSelector", "value": {"kubernetes.io/os": "linux"}}
    for place in ("", "driver/")
]


def test_the_operators_webhook_refuses_in_one_line(cluster, operator, bucket):
    says = ["the Spark operator refuses the application: node selector cannot be defined at both"]
    fails(cluster, bucket, "refused", says, changes=AT_BOTH)
    assert gone(cluster, "refused")


def test_without_the_webhook_the_result_is_the_same(cluster, operator, bucket, scan, tmp_path):
    operator.upgrade("webhook.enable=false")
    try:
        assert cluster.get(CONFIGURATION) is None
        process = cluster.submission("no-webhook", cluster.overlay(), job(bucket, "no-webhook"))
        ends_well(cluster, bucket, scan, process, "no-webhook", tmp_path)
    finally:
        operator.upgrade("webhook.enable=true")
    assert cluster.get(CONFIGURATION)


def test_a_webhook_that_is_away_is_said_in_one_line(cluster, operator, bucket):
    scale = ["-n", NAMESPACE, "scale", "deployment/spark-operator-webhook"]
    cluster.kubectl(*scale, "--replicas=0")
    try:
        wait_for(LONGEST, "the webhook to end", lambda: not operator.pod("webhook"))
        fails(cluster, bucket, "unheard", ["the Spark operator's webhook does not answer", "get pods"])
    finally:
        cluster.kubectl(*scale, "--replicas=1")
        cluster.kubectl("-n", NAMESPACE, "rollout", "status", "deployment/spark-operator-webhook", "--timeout=100s")
        operator.await_webhook()


def test_a_job_outlives_an_upgrade_of_the_operator(cluster, operator, bucket, scan, tmp_path):
    process, _ = running_submission(cluster, bucket, "upgraded")
    driver = cluster.running_pod("upgraded", "driver")
    first = cluster.get("pod", driver)["metadata"]["uid"]
    parts = ("controller", "webhook")
    before = [operator.pod(part) for part in parts]
    operator.upgrade(*(f"{part}.annotations.upgraded=yes" for part in parts))
    assert not {*before} & {operator.pod(part) for part in parts}
    ends_well(cluster, bucket, scan, process, "upgraded", tmp_path)
    assert cluster.get("pod", driver)["metadata"]["uid"] == first


def test_the_chart_gives_no_rights_to_accounts_that_the_job_does_not_use(cluster, operator):
    question = ["-n", cluster.namespace, "auth", "can-i", "create", "pods"]
    account = f"--as=system:serviceaccount:{cluster.namespace}"
    assert cluster.kubectl(*question, f"{account}:tomobasis-driver").stdout.strip() == "yes"
    assert cluster.kubectl(*question, f"{account}:default", check=False).stdout.strip() == "no"
