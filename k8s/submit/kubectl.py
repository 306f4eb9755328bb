"""kubectl as this program uses it, and its refusals in words that say what to do."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

ANSWER = 120  # seconds


class Failure(Exception):
    """One line for the user, and the exit code."""

    def __init__(self, message, exit_code=1):
        super().__init__(message)
        self.exit_code = exit_code


class Kubectl:
    def __init__(self, context, namespace):
        if not shutil.which("kubectl"):
            raise Failure("kubectl is not on the PATH; install it (its version within one minor of the cluster's)", 2)
        self.namespace = namespace
        self.where = [*(["--context", context] if context else []), "--namespace", namespace]

    def shown(self, *words):
        """A command for the user to type."""
        return shlex.join(["kubectl", *self.where, *" ".join(words).split()])

    def run(self, *arguments, stdin=None):
        command = ["kubectl", *self.where, *arguments]
        try:
            return subprocess.run(
                command, input=stdin, capture_output=True, text=True, errors="replace", timeout=ANSWER
            )
        except subprocess.TimeoutExpired as late:
            raise Failure(f"the cluster did not answer within {ANSWER} s; check it with kubectl version") from late

    def kustomize(self, overlay, patches):
        """The overlay's manifest with patches to its SparkApplication.

        As an overlay of its own over the user's, in a folder of its own: nothing of the checkout is written.
        """
        with tempfile.TemporaryDirectory(prefix="tomobasis-") as folder:
            folder = Path(folder).resolve()
            content = {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "namespace": self.namespace,
                "resources": [os.path.relpath(overlay, folder)],
                "patches": [{"target": {"kind": "SparkApplication"}, "patch": json.dumps(patches)}],
            }
            (folder / "kustomization.yaml").write_text(json.dumps(content))
            done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"the overlay {overlay.name} cannot be built: {last_line(done.stderr)}", 2)
        return done.stdout

    def create(self, manifest, name):
        try:
            done = self.run("create", "-f", "-", stdin=manifest)
        except KeyboardInterrupt as interrupt:
            # Not ours to delete: the name may be that of an earlier application.
            check = self.shown("get sparkapplication", name)
            raise Failure(
                f"interrupted while {name} was being made; to see whether it was: {check}", 130
            ) from interrupt
        if done.returncode:
            raise Failure(self.refusal(done.stderr, name))

    def refusal(self, text, name):
        """What the API server's answer to a creation means."""
        if "no matches for kind" in text or "the server doesn't have a resource type" in text:
            return "the cluster has no SparkApplication; install the Spark operator (docs/kubernetes.md)"
        if "already exists" in text:
            return f"an application {name} exists in namespace {self.namespace}; give another --name or delete it first"
        if "failed calling webhook" in text:
            return (
                f"the Spark operator's webhook does not answer ({text.rpartition(': ')[2].strip()}); just installed or "
                "upgraded, it takes half a minute; else see kubectl -n spark-operator get pods"
            )
        if "denied the request: " in text:
            return f"the Spark operator refuses the application: {last_line(text.partition('denied the request: ')[2])}"
        if "is forbidden" in text and "User" in text:
            return (
                f"you may not create applications in namespace {self.namespace}; "
                "ask its administrator for the role tomobasis-submitter (k8s/setup/submitter.yaml)"
            )
        if "namespaces" in text and "not found" in text:
            return f"there is no namespace {self.namespace}; apply k8s/setup, or name another with --namespace"
        if "does not exist" in text and "context" in text:
            return "there is no such --context; kubectl config get-contexts lists them"
        if "connection refused" in text.lower() or "Unable to connect" in text or "no such host" in text:
            return f"the cluster cannot be reached: {last_line(text)}"
        return f"the cluster refused the application: {last_line(text)}"

    def json(self, *arguments):
        """An object or a list; None when it is not there (any more)."""
        done = self.run("get", *arguments, "-o", "json")
        if done.returncode == 0:
            return json.loads(done.stdout)
        if "NotFound" in done.stderr or "not found" in done.stderr:
            return None
        raise Failure(self.refusal(done.stderr, arguments[-1]))

    def application(self, name):
        return self.json("sparkapplication", name)

    def pods(self, name):
        return self.json("pods", "-l", f"sparkoperator.k8s.io/app-name={name}")["items"]

    def delete_application(self, name):
        done = self.run("delete", "sparkapplication", name, "--wait=false", "--ignore-not-found")
        if done.returncode:
            command = self.shown("delete sparkapplication", name)
            raise Failure(f"application {name} is not removed ({last_line(done.stderr)}); to remove it: {command}")


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else "no reason given"
