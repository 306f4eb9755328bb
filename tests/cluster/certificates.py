"""The keys of a test cluster: one authority, the API server's certificate, and an administrator's that every component uses."""

import base64
import json
import subprocess

SERVER = "IP:{address},IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def leaf(folder, name, subject, extension):
    (folder / f"{name}.ext").write_text(extension)
    openssl(folder, *f"req -newkey rsa:2048 -nodes -subj {subject} -keyout {name}.key -out {name}.csr".split())
    signing = f"x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -out {name}.crt"
    openssl(folder, *signing.split(), "-extfile", f"{name}.ext")


def make(folder, address):
    """Writes ca, api, admin (.crt, .key), sa (.key, .pub) and kubeconfig into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    openssl(folder, *"req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=ca -keyout ca.key -out ca.crt".split())
    openssl(folder, *"genrsa -out sa.key 2048".split())
    openssl(folder, *"rsa -in sa.key -pubout -out sa.pub".split())
    leaf(folder, "api", "/CN=api", "subjectAltName=" + SERVER.format(address=address))
    leaf(folder, "admin", "/O=system:masters/CN=admin", "extendedKeyUsage=clientAuth")

    def data(name):
        return base64.b64encode((folder / name).read_bytes()).decode()

    cluster = {"server": f"https://{address}:6443", "certificate-authority-data": data("ca.crt")}
    user = {"client-certificate-data": data("admin.crt"), "client-key-data": data("admin.key")}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "admin", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }
    (folder / "kubeconfig").write_text(json.dumps(config))
