"""As much of a Kubernetes API server as kubectl and the Python client ask for: SparkApplications of both operators that have one, the pods
of an application and their logs, and a little object store beside it, over plain HTTP on the loopback.

Answers and refusals are worded as the real server words them: kubectl's own messages come out. What an operator would do is up to the test:
`on_create` is called with each application that is made, `on_get` before each answer about one.
"""

import itertools
import json
import ssl
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

GROUP, APACHE = "sparkoperator.k8s.io", "spark.apache.org"
VERSIONS = {GROUP: "v1beta2", APACHE: "v1"}
VERBS = ["create", "delete", "get", "list", "patch", "watch"]
FORMATS = [{"in": "query", "name": "fieldValidation"}]


class Refusal(Exception):
    def __init__(self, code, reason, message):
        super().__init__(message)
        self.code = code
        self.status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason}
        self.status["code"] = code


class ApiServer:
    def __init__(self, certificate=None):
        self.applications, self.pods, self.logs, self.files = {}, [], {}, {}
        self.on_create = self.on_get = lambda application: None
        self.numbers = itertools.count(1)
        self.requests = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Transfer-Encoding") == "chunked":
                    while size := int(self.rfile.readline(), 16):
                        text += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                body = json.loads(text) if text else None
                try:
                    code, content = server.reply(self.command, self.path, body)
                except Refusal as refusal:
                    code, content = refusal.code, refusal.status
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(code)
                kind = "text/plain" if isinstance(content, bytes) else "application/json"
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_GET = do_POST = do_DELETE = do_HEAD = answer

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.scheme = "https" if certificate else "http"
        self.host = f"127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def config(self, folder, **user):
        """KUBECONFIG for it."""
        cluster = {"server": f"{self.scheme}://{self.host}", "insecure-skip-tls-verify": True}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": user}],
            "clusters": [{"name": "c", "cluster": cluster}],
        }
        path = folder / "kubeconfig"
        path.write_text(json.dumps(content))
        return str(path)

    def application(self, name, group=GROUP):
        return self.applications.get((group, "tomobasis", name))

    def add(self, document, namespace="tomobasis"):
        """An application as it is when it has been created."""
        group = document["apiVersion"].partition("/")[0]
        metadata = {"namespace": namespace, "uid": f"uid-{next(self.numbers)}", "creationTimestamp": now()}
        made = {**document, "metadata": {**document["metadata"], **metadata}}
        self.applications[group, namespace, document["metadata"]["name"]] = made
        return made

    def add_driver(self, application, log, phase="Succeeded", exit_code=0, created=None, message=None):
        """The driver's pod of an application, which has run."""
        metadata, number = application["metadata"], next(self.numbers)
        name = f"{metadata['name']}-driver"
        owner = {"apiVersion": application["apiVersion"], "kind": "SparkApplication", "name": metadata["name"]}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": metadata["namespace"],
                "uid": f"pod-{number}",
                "creationTimestamp": created or now(),
                "labels": {f"{GROUP}/app-name": metadata["name"], "spark-role": "driver"},
                "ownerReferences": [{**owner, "uid": metadata["uid"]}],
            },
            "spec": {"nodeName": "n", "containers": [{"name": "spark-kubernetes-driver", "image": "x"}]},
            "status": {
                "phase": phase,
                "containerStatuses": [ended(exit_code, message)],
            },
        }
        self.pods.append(pod)
        self.logs[name] = log.encode()
        return pod

    def reply(self, method, path, body):
        path, _, query = path.partition("?")
        self.requests.append((method, path))
        words = path.strip("/").split("/")
        fixed = {
            "version": {"major": "1", "minor": "34", "gitVersion": "v1.34.4"},
            "api": {"kind": "APIVersions", "versions": ["v1"]},
            "apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group(g) for g in sorted(VERSIONS)]},
            "api/v1": resources("v1", resource("pods", "Pod")),
            "api/v1/namespaces/tomobasis": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tomobasis"}},
            "openapi/v3": {
                "paths": {f"apis/{g}/{v}": {"serverRelativeURL": f"/openapi/{g}"} for g, v in VERSIONS.items()}
            },
        }
        for g, v in VERSIONS.items():
            fixed[f"apis/{g}/{v}"] = resources(f"{g}/{v}", resource("sparkapplications", "SparkApplication"))
            fixed[f"openapi/{g}"] = schema(g, v)
        match words:
            case _ if "/".join(words) in fixed:
                return 200, fixed["/".join(words)]
            case ["apis", g, v, "namespaces", namespace, "sparkapplications", *name] if VERSIONS.get(g) == v:
                return self.custom(method, g, namespace, name, body)
            case ["api", "v1", "namespaces", namespace, "pods"]:
                wanted = dict(pair.split("=") for pair in label_selector(query).split(",") if pair)
                found = [p for p in self.pods if wanted.items() <= p["metadata"]["labels"].items()]
                found = [p for p in found if p["metadata"]["namespace"] == namespace]
                return 200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": found}
            case ["api", "v1", "namespaces", _, "pods", name]:
                return 200, next(p for p in self.pods if p["metadata"]["name"] == name)
            case ["api", "v1", "namespaces", _, "pods", name, "log"]:
                return 200, self.logs[name]
            case _ if path in self.files:
                return 200, self.files[path]
        raise Refusal(404, "NotFound", "the server could not find the requested resource")

    def custom(self, method, group, namespace, names, body):
        plural = f"sparkapplications.{group}"
        if method == "POST":
            name = body["metadata"]["name"]
            if (group, namespace, name) in self.applications:
                raise Refusal(409, "AlreadyExists", f'{plural} "{name}" already exists')
            made = self.add(body, namespace)
            self.on_create(made)
            return 201, made
        key = (group, namespace, *names)
        if key not in self.applications:
            raise Refusal(404, "NotFound", f'{plural} "{names[0]}" not found')
        found = self.applications[key]
        if method == "DELETE":
            uid, asked = found["metadata"]["uid"], ((body or {}).get("preconditions") or {}).get("uid")
            if asked not in (None, uid):
                conflict = f"Precondition failed: UID in precondition: {asked}, UID in object meta: {uid}"
                raise Refusal(409, "Conflict", f'Operation cannot be fulfilled on {plural} "{names[0]}": {conflict}')
            del self.applications[key]
            return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        self.on_get(found)
        if key not in self.applications:
            raise Refusal(404, "NotFound", f'{plural} "{names[0]}" not found')
        return 200, self.applications[key]


def now():
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ended(exit_code, message=None):
    terminated = {"exitCode": exit_code, "reason": "Error" if exit_code else "Completed"}
    if message:
        terminated["message"] = message
    return {"name": "spark-kubernetes-driver", "state": {"terminated": terminated},
            "ready": False, "restartCount": 0, "image": "x", "imageID": ""}  # fmt: skip


def label_selector(query):
    return parse_qs(query).get("labelSelector", [""])[0]


def group(name):
    version = {"groupVersion": f"{name}/{VERSIONS[name]}", "version": VERSIONS[name]}
    return {"name": name, "versions": [version], "preferredVersion": version}


def resource(plural, kind):
    return {"name": plural, "singularName": plural[:-1], "namespaced": True, "kind": kind, "verbs": VERBS}


def resources(version, *which):
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": list(which)}


def schema(group, version):
    """What tells kubectl that the server checks fields itself."""
    kind = {"group": group, "version": version, "kind": "SparkApplication"}
    create = {"x-kubernetes-action": "post", "x-kubernetes-group-version-kind": kind, "parameters": FORMATS}
    change = {**create, "x-kubernetes-action": "patch"}
    path = f"/apis/{group}/{version}/namespaces/{{namespace}}/sparkapplications"
    info = {"title": "Kubernetes", "version": "v1.34.4"}
    paths = {path: {"post": create}, f"{path}/{{name}}": {"patch": change}}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}
