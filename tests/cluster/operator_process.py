"""The Spark operator's own release, as a process beside the cluster; it submits with the image's Spark."""

import os
import subprocess
import tempfile
from pathlib import Path

from build import BINARIES, SOURCES
from store import SPARK_HOME


class Operator:
    """Context: the resource definitions are applied and the controller serves the job's namespace."""

    def __init__(self, cluster):
        self.cluster = cluster

    def __enter__(self):
        definitions = SOURCES / "operator/charts/spark-operator-chart/crds"
        self.cluster.kubectl("apply", "--server-side", "-f", definitions)
        # A controller that starts before they are established ends at once.
        self.cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        options = """controller start --zap-log-level=info --zap-encoder=console --leader-election=false
            --controller-threads=4 --enable-ui-service=false""".split()
        options += [f"--namespaces={self.cluster.namespace}", f"--kubeconfig={os.environ['KUBECONFIG']}"]
        environment = {
            **os.environ,
            "KUBERNETES_SERVICE_HOST": os.environ["TOMOBASIS_NODE_ADDRESS"],
            "KUBERNETES_SERVICE_PORT": "6443",
            "SPARK_HOME": str(SPARK_HOME),
        }
        log = Path(tempfile.gettempdir()) / "tomobasis-operator.log"
        with log.open("w") as out:
            command = [BINARIES / "spark-operator", *options]
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
