#!/usr/bin/env python3
"""Runs the tests of the full tier: on the cluster of KUBECONFIG where one is given, else on one that is started here and ended after.

    tests/cluster/run.py [PYTEST ARGUMENTS]

For a cluster of your own: the Spark operator must serve the namespace tomobasis, as docs/kubernetes.md installs it (what changes the
operator is not tested there); TOMOBASIS_IMAGE names an image that its nodes can pull; TOMOBASIS_S3_ENDPOINT, TOMOBASIS_S3_BUCKET,
AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY a store that its pods reach.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import build
from node import ADDRESS, KUBECONFIG, Node

ROOT = Path(__file__).resolve().parent.parent.parent
OF_THE_USER = (
    "TOMOBASIS_IMAGE",
    "TOMOBASIS_S3_ENDPOINT",
    "TOMOBASIS_S3_BUCKET",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)
IMAGE = ROOT / "build/image/tomobasis.tar"


def main(arguments):
    tests = [sys.executable, "-m", "pytest", "tests/cluster", "-p", "no:cacheprovider", *arguments]
    if os.environ.get("KUBECONFIG"):
        if missing := [name for name in OF_THE_USER if not os.environ.get(name)]:
            sys.exit(
                f"error: for the cluster of KUBECONFIG set {', '.join(missing)} too (tests/cluster/run.py says what they are)"
            )
        return subprocess.run(tests, cwd=ROOT).returncode
    if os.geteuid() != 0:
        sys.exit("error: a cluster of our own needs root; or name one with KUBECONFIG")
    build.main([])
    # mmdebstrap is among what was unpacked.
    tools = f"{os.environ['PATH']}:{build.ROOT}/usr/bin"
    subprocess.run(["make", "--no-print-directory", "image"], cwd=ROOT, env={**os.environ, "PATH": tools}, check=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    node = Node()
    try:
        started = time.monotonic()
        node.up()
        print(f"cluster: up in {time.monotonic() - started:.0f} s", flush=True)
        node.load_image(IMAGE)
        print(f"cluster: image loaded after {time.monotonic() - started:.0f} s", flush=True)
        given = {"TOMOBASIS_NODE_ADDRESS": ADDRESS, "KUBECONFIG": str(KUBECONFIG)}
        environment = [f"{key}={value}" for key, value in given.items()]
        return subprocess.run(node.inside.command("env", *environment, *tests), cwd=ROOT).returncode
    finally:
        node.down()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
