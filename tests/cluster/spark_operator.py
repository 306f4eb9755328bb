"""The Spark operator's own release, installed by its chart as the docs say.

Its image is not of a registry: the release's program and entry point on our own image, which has the Spark that it submits with.
"""

import os
import shlex
import socket
import subprocess

import images
from build import BINARIES, PROGRAMS, SOURCES
from page import command
from running import ROOT
from waiting import wait_for

NAMESPACE = "spark-operator"
RELEASE = SOURCES / "operator"
VERSION = PROGRAMS["operator"].version.removeprefix("v")
IMAGE = f"localhost/kubeflow/spark-operator/controller:{VERSION}"  # the chart's names for it, in another registry
HERE = ["image.registry=localhost", *(f"{part}.resources.requests.cpu=50m" for part in ("controller", "webhook"))]


class Operator:
    def __init__(self, cluster):
        self.cluster = cluster

    def install(self, *settings):
        files = {
            "usr/bin/spark-operator": BINARIES / "spark-operator",
            "usr/bin/entrypoint.sh": RELEASE / "entrypoint.sh",
        }
        base = ["--base", ROOT / "build/image/tomobasis.tar", "--entrypoint", "/usr/bin/entrypoint.sh"]
        images.load(IMAGE, files, *base)
        # What an earlier run left.
        self.helm(f"helm uninstall {NAMESPACE} --namespace {NAMESPACE} --ignore-not-found --wait")
        self.helm(command("kubernetes.md", "From nothing to a picture", "helm install"), *HERE, *settings)

    def upgrade(self, *settings):
        """With other settings of its chart (`webhook.enable=false`); what an earlier call set stays."""
        self.helm(command("operations.md", "Upgrade", "helm upgrade"), *settings)

    def helm(self, line, *settings):
        """Runs a page's command with the chart of the release instead of the repository's; returns when what it made serves."""
        words = [str(RELEASE / "charts/spark-operator-chart") if "/" in word else word for word in shlex.split(line)]
        words += [word for setting in settings for word in ("--set", setting)]
        homes = {f"HELM_{name}_HOME": str(self.cluster.folder) for name in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run(words, env={**os.environ, **homes}, capture_output=True, text=True, timeout=400)
        if done.returncode:
            raise RuntimeError(f"{line}: {done.stderr.strip()[-1000:]}")
        self.await_webhook()

    def await_webhook(self):
        """Returns when the API server can call the webhook, if there is one."""
        wait_for(60, "the operator's webhook to be within the API server's reach", self.in_reach)

    def in_reach(self):
        """Whether every webhook has told the API server its certificate and its service leads to it.

        A pod that is ready is not enough: the node's rules for the service follow it a moment later.
        """
        kinds = "mutatingwebhookconfigurations,validatingwebhookconfigurations"
        configurations = self.cluster.get(kinds, "-l", f"app.kubernetes.io/instance={NAMESPACE}")["items"]
        clients = [hook["clientConfig"] for one in configurations for hook in one["webhooks"]]
        services = {(client["service"]["name"], client["service"]["port"]) for client in clients}
        return all("caBundle" in client for client in clients) and all(self.accepts(*service) for service in services)

    def accepts(self, service, port):
        """Whether a connection to the service is taken; asked on the node, where the API server asks too."""
        address = self.cluster.get("service", service, "-n", NAMESPACE)["spec"]["clusterIP"]
        try:
            with socket.create_connection((address, port), timeout=1):
                return True
        except OSError:
            return False

    def pod(self, part):
        """Name of the pod of the `controller` or the `webhook`."""
        labels = f"app.kubernetes.io/instance={NAMESPACE},app.kubernetes.io/component={part}"
        found = self.cluster.kubectl("-n", NAMESPACE, "get", "pods", "-l", labels, "-o", "name")
        return found.stdout.strip()
