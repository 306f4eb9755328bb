#!/usr/bin/env python3
"""A real one-node Kubernetes on this machine, without Docker, systemd or a registry.

    tests/cluster/node.py up | down | load-image ARCHIVE | exec COMMAND...      as root, after build.py

API server, etcd, controllers, scheduler, kubelet, proxy, network policies, DNS and containerd in namespaces of their own (namespaces.py).
State is in the cache folder's `run`; images stay there over down and up.
"""

import json
import os
import shutil
import sys
import zlib
from pathlib import Path

import certificates
from build import BINARIES, CACHE, PAUSE, ROOT
from namespaces import Namespaces
from waiting import wait_for

STATE = CACHE / "run"  # short: names of sockets in it are limited to 107 characters
ADDRESS, PODS, SERVICES = "10.77.0.1", "10.77.64.0/18", "10.96.0.0/16"
CGROUP = f"tomobasis-cluster-{zlib.crc32(str(STATE).encode()):08x}"  # one for each cache
KEYS = STATE / "keys"
KUBECONFIG = KEYS / "kubeconfig"
SOCKET = STATE / "containerd.sock"
LIBRARIES = f"{ROOT}/usr/lib/x86_64-linux-gnu:{ROOT}/lib/x86_64-linux-gnu"
LOWEST = {"memory.available": "100Mi", "nodefs.available": "1Mi", "imagefs.available": "1Mi", "nodefs.inodesFree": "0%"}

# Without the capability to lower a process's score, runc fails unless it is told not to try.
CONTAINERD = f"""version = 2
root = "{STATE}/containerd"
state = "{STATE}/containerd-state"
[grpc]
address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "localhost/pause:1"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{ROOT}/usr/lib/cni"
conf_dir = "{STATE}/network"
[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"""
NETWORK = {
    "cniVersion": "0.4.0",
    "name": "pods",
    "plugins": [
        {
            "type": "ptp",
            "ipam": {
                "type": "host-local",
                "dataDir": f"{STATE}/addresses",
                "ranges": [[{"subnet": PODS}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }
    ],
}
KUBELET = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "failCgroupV1": False,
    "cgroupDriver": "cgroupfs",
    "cgroupRoot": f"/{CGROUP}",
    "failSwapOn": False,
    "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
    "authorization": {"mode": "AlwaysAllow"},
    "containerRuntimeEndpoint": f"unix://{SOCKET}",
    "podLogsDir": f"{STATE}/pod-logs",  # a kubelet removes what it does not know there: not in a folder that another one may use
    "clusterDNS": [ADDRESS],
    "clusterDomain": "cluster.local",
    "resolvConf": "",
    "serializeImagePulls": False,
    "imageGCHighThresholdPercent": 100,
    "imageGCLowThresholdPercent": 99,
    "evictionHard": LOWEST,
    "syncFrequency": "5s",
    "nodeStatusUpdateFrequency": "5s",
}
PROXY = {
    "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
    "kind": "KubeProxyConfiguration",
    "mode": "nftables",
    "clientConnection": {"kubeconfig": str(KUBECONFIG)},
    "clusterCIDR": PODS,
    "hostnameOverride": "node1",
    "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
}
WIRES = f"""ip link set lo up
ip link add node0 type veth peer name node1
ip address add {ADDRESS}/24 dev node0
ip link set node0 up
ip link set node1 up
ip route add {SERVICES} dev node0
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
mkdir -p {STATE}/etcd {STATE}/containerd-state
mount -t tmpfs -o size=512m tmpfs {STATE}/etcd
mount -t tmpfs tmpfs {STATE}/containerd-state"""


class Node:
    def __init__(self):
        self.inside = Namespaces(STATE)
        tools = [Path(sys.executable).parent, BINARIES, ROOT / "usr/bin", ROOT / "usr/sbin", ROOT / "sbin"]
        path = ":".join([*map(str, tools), os.environ["PATH"]])
        self.inside.environment = {"KUBECONFIG": KUBECONFIG, "PATH": path}

    def kubectl(self, *words, **options):
        return self.inside.run("kubectl", *words, **options)

    def ready(self, *words):
        return self.kubectl(*words, check=False).returncode == 0

    def up(self):
        if self.inside.holder():
            return
        STATE.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(STATE / "log", ignore_errors=True)
        certificates.make(KEYS, ADDRESS)
        configure()
        cgroups()
        self.inside.start()
        self.inside.run("bash", "-ec", WIRES)
        self.start_control_plane()
        self.start_node()

    def start_control_plane(self):
        run, config = self.inside.spawn, f"--kubeconfig={KUBECONFIG}"
        client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
        etcd = f"--data-dir={STATE}/etcd/data --listen-client-urls={client} --advertise-client-urls={client}"
        run("etcd", "etcd", *etcd.split(), f"--listen-peer-urls={peer}")
        server = f"""--etcd-servers={client} --advertise-address={ADDRESS} --bind-address={ADDRESS} --secure-port=6443
            --tls-cert-file={KEYS}/api.crt --tls-private-key-file={KEYS}/api.key --client-ca-file={KEYS}/ca.crt
            --authorization-mode=Node,RBAC --service-account-issuer=https://kubernetes.default.svc
            --service-account-key-file={KEYS}/sa.pub --service-account-signing-key-file={KEYS}/sa.key
            --service-cluster-ip-range={SERVICES} --kubelet-preferred-address-types=InternalIP
            --kubelet-client-certificate={KEYS}/admin.crt --kubelet-client-key={KEYS}/admin.key"""
        run("apiserver", "kube-apiserver", *server.split())
        wait_for(120, "the API server", lambda: self.ready("get", "--raw=/readyz"))
        controllers = f"""--leader-elect=false --service-account-private-key-file={KEYS}/sa.key
            --root-ca-file={KEYS}/ca.crt --cluster-signing-cert-file={KEYS}/ca.crt --cluster-signing-key-file={KEYS}/ca.key"""
        run("controllers", "kube-controller-manager", config, *controllers.split())
        run("scheduler", "kube-scheduler", config, "--leader-elect=false")
        run("dns", sys.executable, Path(__file__).with_name("names.py"), ADDRESS)

    def start_node(self):
        run = self.inside.spawn
        run("containerd", "containerd", "-c", STATE / "containerd.toml")
        wait_for(30, "containerd", lambda: self.inside.run(*ctr(), "version", check=False).returncode == 0)
        self.load_image(PAUSE)
        kubelet = (
            f"--kubeconfig={KUBECONFIG} --config={STATE}/kubelet.json --node-ip={ADDRESS} --hostname-override=node1"
        )
        # Started again, as an init system does: it ends where containerd answers but does not serve pods yet.
        again = ["bash", "-c", 'until "$@"; do sleep 0.5; done', "again"]
        run("kubelet", *again, "kubelet", *kubelet.split(), f"--root-dir={STATE}/kubelet")
        run("proxy", "kube-proxy", f"--config={STATE}/proxy.json", LD_LIBRARY_PATH=LIBRARIES)
        # Pods are refused before their namespace's account exists.
        wait_for(60, "the default account", lambda: self.ready("-n", "default", "get", "serviceaccount", "default"))
        wait_for(120, "the node", lambda: self.ready("wait", "--for=condition=Ready", "node/node1", "--timeout=1s"))
        # It asks the API which node it is on.
        policies = f"""--kubeconfig={KUBECONFIG} --hostname-override=node1 --service-cluster-ip-range={SERVICES}
            --run-firewall --run-router=false --run-service-proxy=false --run-loadbalancer=false"""
        modules = f"{ROOT}/usr/lib/x86_64-linux-gnu/xtables"
        run("policies", "kube-router", *policies.split(), LD_LIBRARY_PATH=LIBRARIES, XTABLES_LIBDIR=modules)

    def load_image(self, archive):
        self.inside.run(*importing(archive))

    def down(self):
        self.inside.stop()
        for name in ("kubelet", "pod-logs", "addresses", "containerd-state", "etcd"):
            shutil.rmtree(STATE / name, ignore_errors=True)
        for folder in [*Path("/sys/fs/cgroup").glob(f"*/{CGROUP}"), Path("/sys/fs/cgroup") / CGROUP]:
            for path in [*sorted(folder.rglob("*/"), reverse=True), folder]:
                if path.is_dir():
                    path.rmdir()


def ctr():
    return ["ctr", "-a", str(SOCKET)]


def importing(archive):
    """The command, inside, that hands an image to the kubelet's containerd."""
    return [*ctr(), "-n", "k8s.io", "images", "import", str(archive)]


def configure():
    (STATE / "network").mkdir(exist_ok=True)
    (STATE / "network/10-pods.conflist").write_text(json.dumps(NETWORK))
    (STATE / "containerd.toml").write_text(CONTAINERD)
    (STATE / "kubelet.json").write_text(json.dumps(KUBELET))
    (STATE / "proxy.json").write_text(json.dumps(PROXY))


def cgroups():
    """A group of our own under every controller (version 1), or one (version 2)."""
    top = Path("/sys/fs/cgroup")
    if (top / "cgroup.controllers").exists():
        (top / CGROUP).mkdir(exist_ok=True)
        return
    for controller in top.iterdir():
        if (controller / "cgroup.procs").exists() and not controller.is_symlink():
            (controller / CGROUP).mkdir(exist_ok=True)
            for name in ("cpus", "mems"):
                if (setting := controller / f"cpuset.{name}").exists():
                    (controller / CGROUP / f"cpuset.{name}").write_text(setting.read_text())


def main(words):
    node = Node()
    match words:
        case ["up"]:
            node.up()
        case ["down"]:
            node.down()
        case ["load-image", archive]:
            node.load_image(archive)
        case ["exec", *command] if command:
            words = node.inside.command(*command)
            os.execvp(words[0], words)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
