"""kubectl as this program uses it, and its refusals in words that say what to do."""

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

ANSWER = 120  # seconds
# With its group: Apache's operator has a resource of the same name, and kubectl would take either.
APPLICATIONS = "sparkapplications.sparkoperator.k8s.io"


class Failure(Exception):
    """One line for the user, and the exit code."""

    def __init__(self, message, exit_code=1):
        super().__init__(message)
        self.exit_code = exit_code


class Unanswered(Failure):
    """What is there could not be found out."""


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
            raise Unanswered(f"the cluster did not answer within {ANSWER} s; check it with kubectl version") from late

    def kustomize(self, overlay, patches):
        """The overlay's manifest with kustomize's `patches`.

        As an overlay of its own over the user's, in a folder of its own: nothing of the checkout is written.
        """
        with tempfile.TemporaryDirectory(prefix="tomobasis-") as folder:
            folder = Path(folder).resolve()
            content = {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "namespace": self.namespace,
                "resources": [os.path.relpath(overlay, folder)],
                "patches": patches,
            }
            (folder / "kustomization.yaml").write_text(json.dumps(content))
            done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"the overlay {overlay.name} cannot be built: {last_line(done.stderr)}", 2)
        return done.stdout

    def create(self, manifest, name):
        """The uid of the application that it makes."""
        try:
            done = self.run("create", "-f", "-", "-o", "json", stdin=manifest)
        except KeyboardInterrupt as interrupt:
            # Not ours to delete: the name may be that of an earlier application.
            check = self.shown(f"get {APPLICATIONS}", name)
            raise Failure(
                f"interrupted while {name} was being made; to see whether it was: {check}", 130
            ) from interrupt
        if done.returncode:
            raise Failure(self.refusal(done.stderr, name))
        return next(item["metadata"]["uid"] for item in objects(done.stdout) if item["kind"] == "SparkApplication")

    def refusal(self, text, name):
        """What kubectl's error on a creation means."""
        reason, message = server_answer(text)
        if reason == "AlreadyExists":
            return f"an application {name} exists in namespace {self.namespace}; give another --name or delete it first"
        if reason == "Forbidden" and "User " in message:
            return (
                f"you may not create applications in namespace {self.namespace}; "
                "ask its administrator for the role tomobasis-submitter (k8s/setup/submitter.yaml)"
            )
        if reason == "NotFound" and message.startswith("namespaces "):
            return f"there is no namespace {self.namespace}; apply k8s/setup, or name another with --namespace"
        if reason == "InternalError" and "failed calling webhook" in message:
            return (
                f"the Spark operator's webhook does not answer ({message.rpartition(': ')[2].strip()}); just installed "
                "or upgraded, it takes half a minute; else see kubectl -n spark-operator get pods"
            )
        if "denied the request: " in text:
            return f"the Spark operator refuses the application: {last_line(text.partition('denied the request: ')[2])}"
        if "no matches for kind" in text or "the server doesn't have a resource type" in text:
            return "the cluster has no SparkApplication; install the Spark operator (docs/kubernetes.md)"
        return self.unreachable(text) or f"the cluster refused the application: {last_line(text)}"

    def unreachable(self, text):
        """The error where no API server was asked; None where one answered."""
        if server_answer(text)[0]:
            return None
        if re.search('context ".*" does not exist', text) or "context was not found" in text:
            return "there is no such --context; kubectl config get-contexts lists them"
        if "connection refused" in text.lower() or "Unable to connect" in text or "no such host" in text:
            return f"the cluster cannot be reached: {last_line(text)}"
        return None

    def get(self, *arguments):
        """An object or a list; None when the server says that it is not there (any more)."""
        done = self.run("get", *arguments, "--ignore-not-found", "-o", "json")
        if done.returncode:
            raise Unanswered(self.unreachable(done.stderr) or f"kubectl get failed: {last_line(done.stderr)}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def application(self, name):
        return self.get(APPLICATIONS, name)

    def pods(self, application):
        """The pods of this very application: those of an earlier one of its name may still be there."""
        listed = self.get("pods", "-l", f"sparkoperator.k8s.io/app-name={application['metadata']['name']}")
        return [pod for pod in (listed or {"items": []})["items"] if belongs(pod["metadata"], application["metadata"])]

    def delete_application(self, name, uid):
        """Deletes this very application: by its name alone another one might go that has been made since."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        path = f"/apis/sparkoperator.k8s.io/v1beta2/namespaces/{self.namespace}/sparkapplications/{name}"
        done = self.run("delete", "--raw", path, "-f", "-", stdin=json.dumps(options))
        if done.returncode and server_answer(done.stderr)[0] not in ("NotFound", "Conflict"):
            command = self.shown(f"delete {APPLICATIONS}", name)
            raise Failure(f"application {name} is not removed ({last_line(done.stderr)}); to remove it: {command}")


def server_answer(text):
    """(reason, message) of the API server's refusal as kubectl words it, or empty: a credential plugin's words are not its."""
    found = re.search(r"^Error from server(?: \((\w+)\))?: (?:error when creating \S+: )?(.*)", text, re.MULTILINE)
    return (found[1] or "", found[2]) if found else ("", "")


def objects(text):
    """The objects of kubectl's JSON, which is one after the other where there are several."""
    decoder, found = json.JSONDecoder(), []
    while text := text.lstrip():
        item, end = decoder.raw_decode(text)
        found += item["items"] if item["kind"] == "List" else [item]
        text = text[end:]
    return found


def belongs(pod, application):
    """Whether a pod is not that of an earlier application of the same name, from the metadata of both."""
    owners = {o["uid"] for o in pod.get("ownerReferences", ()) if o["kind"] == "SparkApplication"}
    return pod["creationTimestamp"] >= application["creationTimestamp"] and owners <= {application["uid"]}


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else "no reason given"
