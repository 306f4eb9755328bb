"""Volcano and YuniKorn, each release's own programs as processes beside the cluster, with the configuration that its chart installs.

Each is a context: it schedules the pods that name it while the context lasts.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from build import BINARIES, SOURCES
from waiting import wait_for


class Processes:
    def __init__(self, cluster):
        self.cluster = cluster
        self.processes = []

    def start(self, program, *options, **environment):
        log = Path(tempfile.gettempdir()) / f"tomobasis-{program}.log"
        with log.open("w") as out:
            command = [BINARIES / program, *options]
            self.processes.append(
                subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **environment})
            )

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()


class Volcano(Processes):
    def __enter__(self):
        self.cluster.kubectl("apply", "--server-side", "-f", SOURCES / "volcano/config/crd/volcano/bases")
        self.cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        options = [f"--kubeconfig={os.environ['KUBECONFIG']}", "--leader-elect=false"]
        conf = SOURCES / "volcano/installer/helm/chart/volcano/config/volcano-scheduler.conf"
        self.start("vc-controller-manager", *options)
        self.start("vc-scheduler", *options, f"--scheduler-conf={conf}")
        wait_for(60, "Volcano's default queue", self.open)
        return self

    def open(self):
        done = self.cluster.kubectl("get", "queue.scheduling.volcano.sh", "default", "-o", "json", check=False)
        return done.returncode == 0 and json.loads(done.stdout).get("status", {}).get("state") == "Open"


class YuniKorn(Processes):
    """The scheduler without its admission controller: the operator writes what the pods need."""

    CONFIGURATION = """
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

    def __enter__(self):
        self.cluster.kubectl("apply", "-f", "-", stdin=self.CONFIGURATION)
        self.start("yunikorn", NAMESPACE="yunikorn")
        return self
