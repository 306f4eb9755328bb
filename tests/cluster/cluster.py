"""A cluster as the tests see it: kubectl, the job's namespace, submissions as an ordinary user."""

import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path

from running import ROOT, Run
from waiting import wait_for

K8S = ROOT / "k8s"
USER = "alice"  # may do what k8s/setup/submitter.yaml lets her, and nothing else
APPLICATIONS = (
    "sparkapplications.sparkoperator.k8s.io"  # by its full name: another operator may have one of the same name
)
LONGEST = 900  # seconds for what takes one to two minutes on idle cores


class Cluster:
    namespace = "tomobasis"

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.folder = Path(tempfile.mkdtemp(prefix="tomobasis-cluster-"))

    def kubectl(self, *words, stdin=None, check=True):
        command = ["kubectl", *map(str, words)]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-1000:]}")
        return done

    def get(self, *words):
        done = self.kubectl("-n", self.namespace, "get", *words, "-o", "json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def set_up(self, keys):
        """As an administrator does it, once: k8s/setup, the secret, a user with the submitter's role."""
        self.kubectl("apply", "-k", K8S / "setup")
        secret = ["secret", "generic", "tomobasis-s3", f"--from-literal=access-key={keys.access}"]
        self.apply("create", *secret, f"--from-literal=secret-key={keys.secret}")
        self.apply("create", "rolebinding", USER, "--role=tomobasis-submitter", f"--user={USER}")
        config = json.loads(self.kubectl("config", "view", "--raw", "--minify", "-o", "json").stdout)
        config["users"][0]["user"]["as"] = USER
        self.users_config = self.folder / "kubeconfig"
        self.users_config.write_text(json.dumps(config))
        self.users_config.chmod(0o600)

    def add_volume(self, folder):
        """What a cluster's own storage does for k8s/files: a volume for its claim."""
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": "tomobasis-data"},
            "spec": {
                "capacity": {"storage": "10Gi"},
                "accessModes": ["ReadWriteOnce"],
                "claimRef": {"namespace": self.namespace, "name": "tomobasis-data"},
                "hostPath": {"path": str(folder)},
            },
        }
        self.kubectl("apply", "-f", "-", stdin=json.dumps(volume))
        self.kubectl("apply", "-k", K8S / "files")

    def apply(self, *words):
        """Creates, or changes what an earlier run left."""
        made = self.kubectl("-n", self.namespace, *words, "--dry-run=client", "-o", "yaml").stdout
        self.kubectl("-n", self.namespace, "apply", "-f", "-", stdin=made)

    def overlay(self, name="s3", *changes):
        """An overlay of our own over one of k8s/overlays: this store, this image, little memory."""
        folder = Path(tempfile.mkdtemp(dir=self.folder)).resolve()
        patch = [
            {"op": "add", "path": "/spec/driver/coreRequest", "value": "200m"},
            {"op": "add", "path": "/spec/executor/coreRequest", "value": "200m"},
            {"op": "replace", "path": "/spec/executor/cores", "value": 1},
            {"op": "replace", "path": "/spec/restartPolicy/onFailureRetryInterval", "value": 1},
        ]
        for role in ("driver", "executor"):
            patch.append({"op": "replace", "path": f"/spec/{role}/memory", "value": "1G"})
            patch.append({"op": "replace", "path": f"/spec/{role}/memoryOverhead", "value": "500M"})
        if name not in ("minikube", "pvc"):
            patch.append({"op": "replace", "path": "/spec/hadoopConf/fs.s3a.endpoint", "value": self.endpoint})
            patch.append({"op": "replace", "path": "/spec/hadoopConf/fs.s3a.endpoint.region", "value": "us-east-1"})
        if image := os.environ.get("TOMOBASIS_IMAGE"):
            patch.append({"op": "replace", "path": "/spec/image", "value": image})
        content = {
            "resources": [os.path.relpath(K8S / "overlays" / name, folder)],
            "patches": [{"target": {"kind": "SparkApplication"}, "patch": json.dumps([*patch, *changes])}],
        }
        (folder / "kustomization.yaml").write_text(json.dumps(content))
        return folder

    def submission(self, name, overlay, job, *options, config=None, interrupt=signal.SIG_DFL):
        """The running `bin/tomobasis-submit --kubernetes`, started by the user.

        From a terminal, whatever these tests were started from; `interrupt=SIG_IGN` is what a script's `&` gives instead.
        """
        command = [ROOT / "bin/tomobasis-submit", "--kubernetes", "--name", name, "--overlay", overlay]
        return subprocess.Popen(
            [str(word) for word in (*command, *options, "--", *job)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "KUBECONFIG": str(config or self.users_config)},
            preexec_fn=lambda: signal.signal(signal.SIGINT, interrupt),
        )

    def submit(self, name, overlay, job, *options, config=None, seconds=LONGEST):
        return self.finish(self.submission(name, overlay, job, *options, config=config), seconds)

    def finish(self, process, seconds=LONGEST):
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Run(process.returncode, out, err)

    def pods(self, application, role):
        labels = f"sparkoperator.k8s.io/app-name={application},spark-role={role}"
        return (self.get("pods", "-l", labels) or {"items": []})["items"]

    def running_pod(self, application, role, seconds=LONGEST, submission=None):
        """Name of a pod of that role, once its container runs; an error at once where the submission has ended."""

        def found():
            if submission and submission.poll() is not None:
                raise RuntimeError(f"{application} ended: {submission.communicate()[1]}")
            pods = self.pods(application, role)
            return next((p["metadata"]["name"] for p in pods if p["status"].get("phase") == "Running"), None)

        return wait_for(seconds, f"a running {role} of {application}", found)

    def delete_pod(self, name, *options):
        self.kubectl("-n", self.namespace, "delete", "pod", name, "--wait=false", *options)

    @classmethod
    def state(cls):
        """Pods, applications and events, and the operator's word, for a failed test's report."""
        parts = []
        commands = [f"-n {cls.namespace} get {what} -o wide" for what in (APPLICATIONS, "pods", "events")]
        commands += [
            f"-n spark-operator {what}"
            for what in ("get pods", "get events", "logs -l app.kubernetes.io/name=spark-operator")
        ]
        for command in commands:
            parts.append(subprocess.run(["kubectl", *command.split()], capture_output=True, text=True).stdout[-6000:])
        return "\n".join(parts)
