#!/usr/bin/env python3
"""Builds the programs of a one-node Kubernetes into a cache outside the checkout, once: what is there is kept.

    tests/cluster/build.py                  everything (20 minutes on two cores)
    tests/cluster/build.py s3 etcd          only these

From package registries alone: Go modules, and Debian packages that are unpacked, not installed, so that nothing on the machine
changes and no service starts. Needs Go 1.25 or later, apt-get and a C compiler. TOMOBASIS_CLUSTER_CACHE names another cache.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import gobuild
from gobuild import Program

HERE = Path(__file__).resolve().parent
CACHE = Path(
    os.environ.get("TOMOBASIS_CLUSTER_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tomobasis/cluster"
)
BINARIES, ROOT, WORK, SOURCES = CACHE / "bin", CACHE / "root", CACHE / "work", CACHE / "sources"
PAUSE = CACHE / "pause.tar"

KUBERNETES = "v1.34.4"
DEBIAN = """containerd runc containernetworking-plugins nftables libnftables1 libnftnl11 libmnl0 libjansson4 libedit2 libbsd0
    libmd0 libxtables12 libgmp10 mmdebstrap iptables libip4tc2 libip6tc2 libnfnetlink0 libnetfilter-conntrack3 ipset libipset13""".split()

KUBEFLOW = {
    "v1": "kfp==1.8.22",
    "v2": "kfp==2.17.3 kfp-kubernetes==2.17.3 kubernetes==30.1.0 pyarrow==23.0.1",
}

PROGRAMS = {
    "kubernetes": Program(
        "k8s.io/kubernetes",
        KUBERNETES,
        {
            name: f"cmd/{name}"
            for name in ("kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy".split())
        },
        variables=tuple(
            f"{package}.{name}"
            for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
            for name in (f"gitVersion={KUBERNETES}", "gitMajor=1", f"gitMinor={KUBERNETES.split('.')[1]}")
        ),
        staged_version=KUBERNETES.replace("v1.", "v0."),
    ),
    # Debian's 3.4 answers the watches of Spark's client with an error.
    "etcd": Program("go.etcd.io/etcd/server/v3", "v3.6.7", {"etcd": ""}),
    "operator": Program("github.com/kubeflow/spark-operator/v2", "v2.5.0", {"spark-operator": "cmd/operator"}),
    "helm": Program(
        "helm.sh/helm/v3",
        "v3.22.0",
        {"helm": "cmd/helm"},
        variables=("helm.sh/helm/v3/internal/version.version=v3.22.0",),
    ),
    "argo": Program(
        "github.com/argoproj/argo-workflows/v3",
        "v3.7.9",
        {"workflow-controller": "cmd/workflow-controller", "argoexec": "cmd/argoexec"},
        variables=("github.com/argoproj/argo-workflows/v3.version=v3.7.9",),
        # Not in the module's archive; the one for darwin is plain POSIX.
        needs=(("workflow/executor/osspecific/signal_linux.go", "workflow/executor/osspecific/signal_darwin.go"),),
    ),
    # Enforces network policies; neither routes nor balances here.
    "policies": Program("github.com/cloudnativelabs/kube-router/v2", "v2.1.0", {"kube-router": "cmd/kube-router"}),
    "volcano": Program(
        "volcano.sh/volcano",
        "v1.14.1",
        {"vc-scheduler": "cmd/scheduler", "vc-controller-manager": "cmd/controller-manager"},
        staged_version="v1.14.0",  # of volcano.sh/apis
    ),
    "yunikorn": Program("github.com/apache/yunikorn-k8shim", "v1.8.0", {"yunikorn": "pkg/cmd/shim"}),
    "s3": Program("github.com/versity/versitygw", "v1.8.0", {"versitygw": "cmd/versitygw"}),
}


def debian():
    """Container runtime, network plugins and mmdebstrap."""
    packages = CACHE / "debian"
    packages.mkdir(exist_ok=True)
    for name in DEBIAN:
        if not list(packages.glob(f"{name}_*.deb")):
            subprocess.run(["apt-get", "download", "-q", name], cwd=packages, check=True, stdout=subprocess.DEVNULL)
            (package,) = packages.glob(f"{name}_*.deb")
            subprocess.run(["dpkg-deb", "-x", package, ROOT], check=True)
    for name in ("iptables", "iptables-save", "iptables-restore"):  # Debian's alternatives, which only installing makes
        if not (link := ROOT / "usr/sbin" / name).is_symlink():
            link.symlink_to("xtables-nft-multi")


def pause():
    """The image of the process that holds a pod's namespaces: Kubernetes' own source, one C file."""
    if PAUSE.exists():
        return
    source = gobuild.source(PROGRAMS["kubernetes"], WORK / "kubernetes") / "build/pause/linux/pause.c"
    root = WORK / "pause"
    root.mkdir(exist_ok=True)
    subprocess.run(["cc", "-Os", "-static", "-DVERSION=1", "-o", root / "pause", source], check=True)
    image = [HERE.parent.parent / "k8s/image/oci.py", PAUSE, "localhost/pause:1", root, "--entrypoint", "/pause"]
    subprocess.run([sys.executable, *image], check=True, stdout=subprocess.DEVNULL)


def program(name):
    """One of PROGRAMS; its source stays within reach, for the resource definitions in it."""
    folder = gobuild.build(PROGRAMS[name], WORK / name, BINARIES)
    link = SOURCES / name
    link.unlink(missing_ok=True)
    link.symlink_to(folder)


def kubeflow():
    """Two environments: the pipeline kits of Kubeflow 1 and 2 exclude each other."""
    for version, packages in KUBEFLOW.items():
        python = CACHE / f"kfp-{version}/bin/python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", python.parent.parent], check=True)
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, *packages.split()], check=True)


STEPS = {"debian": debian, "pause": pause, "kubeflow": kubeflow}
ALL = "debian etcd kubernetes pause operator helm policies s3 argo volcano yunikorn kubeflow".split()
TOOLS = {"debian": ("apt-get", "dpkg-deb"), "pause": ("go", "cc"), "kubeflow": ()}


def main(names):
    if unknown := set(names) - set(ALL):
        sys.exit(f"error: unknown part {', '.join(sorted(unknown))}: choose from {', '.join(ALL)}")
    names = names or ALL
    for tool in {tool: None for name in names for tool in TOOLS.get(name, ("go",))}:
        if not shutil.which(tool):
            sys.exit(f"error: {tool} is not installed; the test cluster is built with it (Debian 12, Go 1.25 or later)")
    for folder in (BINARIES, ROOT, WORK, SOURCES):
        folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        started = time.monotonic()
        step = STEPS.get(name)
        if step:
            step()
        else:
            program(name)
        print(f"cluster: {name:<10} {(time.monotonic() - started) / 60:4.1f} min", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
