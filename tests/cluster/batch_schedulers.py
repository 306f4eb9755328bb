"""Volcano and YuniKorn, each release's own programs as processes beside the cluster, with the configuration that its chart installs.

Each is a context: it schedules the pods that name it while the context lasts.
"""

import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path

from build import BINARIES, SOURCES
from waiting import wait_for

YUNIKORN = """
apiVersion: v1
kind: Namespace
metadata: {name: yunikorn}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: yunikorn-configs, namespace: yunikorn}
data:
  service.placeholderImage: localhost/pause:1
  queues.yaml: |
    partitions:
    - name: default
      placementrules:
      - {name: tag, value: namespace, create: true}
      queues:
      - {name: root, submitacl: '*'}
"""


@contextlib.contextmanager
def process(program, *options, **environment):
    with (Path(tempfile.gettempdir()) / f"tomobasis-{program}.log").open("w") as log:
        command, environment = [BINARIES / program, *options], {**os.environ, **environment}
        with subprocess.Popen(command, stdout=log, stderr=log, env=environment) as running:
            try:
                yield
            finally:
                running.kill()


@contextlib.contextmanager
def volcano(cluster):
    """Its scheduler and its controllers, without its webhook, which checks what users write and we do not need."""
    source = SOURCES / "volcano"
    for group in ("volcano", "jobflow"):  # the controllers work once they have found all
        cluster.kubectl("apply", "--server-side", "-f", source / f"config/crd/{group}/bases")
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    options = [f"--kubeconfig={os.environ['KUBECONFIG']}", "--leader-elect=false"]
    configuration = source / "installer/helm/chart/volcano/config/volcano-scheduler.conf"

    def queue_is_open():
        done = cluster.kubectl("get", "queues.scheduling.volcano.sh", "default", "-o", "json", check=False)
        return done.returncode == 0 and json.loads(done.stdout).get("status", {}).get("state") == "Open"

    with (
        process("vc-controller-manager", *options),
        process("vc-scheduler", *options, f"--scheduler-conf={configuration}"),
    ):
        wait_for(60, "Volcano's default queue", queue_is_open)
        yield


@contextlib.contextmanager
def yunikorn(cluster):
    """Its scheduler, without its admission controller: the operator writes what the pods need."""
    standard = "pod-security.kubernetes.io/enforce"
    cluster.kubectl("apply", "-f", "-", stdin=YUNIKORN)
    # Its placeholders do not meet the namespace's standard, and where they are refused it starts pods one by one.
    cluster.kubectl("label", "namespace", cluster.namespace, f"{standard}=baseline", "--overwrite")
    try:
        with process("yunikorn", NAMESPACE="yunikorn"):
            yield
    finally:
        cluster.kubectl("label", "namespace", cluster.namespace, f"{standard}=restricted", "--overwrite")
