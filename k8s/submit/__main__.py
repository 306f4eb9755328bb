"""`bin/tomobasis-submit --kubernetes`: runs one decomposition under the Spark operator and stays with it until it ends.

Renders one of the overlays under k8s/ with the job's options, creates the SparkApplication, shows the driver's log, and says in one
line why a run failed and what to do. Needs Python and kubectl, nothing else. The exit code is the job's own (0 done, 1 failed, 2
usage, 3 input).
"""

import argparse
import re
import secrets
import signal
import sys
from pathlib import Path

import render
from follow import Follower
from kubectl import APPLICATIONS, Failure, Kubectl

EPILOG = """examples:
  tomobasis-submit --kubernetes --overlay s3 -- --input s3a://scans/head --output s3a://results/head --rank 50
  tomobasis-submit --kubernetes --overlay minikube --image tomobasis:dev -- --input /data/series --output /data/result

Settings that every site must make once are in k8s/values/values.yaml; docs/kubernetes.md starts from an empty cluster."""


def parser():
    p = argparse.ArgumentParser(
        prog="tomobasis-submit --kubernetes",
        usage="%(prog)s [OPTIONS] -- JOB OPTIONS",
        description="Decomposes a CT series on Kubernetes, under the Spark operator.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    p.add_argument("--context", help="context of the kubeconfig [the current one]")
    p.add_argument("--namespace", default="tomobasis", help="namespace with k8s/setup applied [%(default)s]")
    p.add_argument("--overlay", default="s3", metavar="NAME", help="folder of k8s/overlays, or a path [%(default)s]")
    p.add_argument("--image", help="image [from k8s/values]")
    p.add_argument("--name", help="name of the application [tomobasis-RANDOM]")
    p.add_argument("--executors", type=positive, metavar="N", help="executors [from k8s/values]")
    p.add_argument(
        "--conf", action="append", default=[], metavar="KEY=VALUE", help="a Spark property; may be given several times"
    )
    p.add_argument("--patience", type=positive, default=600, metavar="SECONDS",
                   help="how long the driver may wait to be scheduled and for its image [%(default)s]")  # fmt: skip
    p.add_argument("--delete-on-interrupt", action="store_true", help="delete the application on Ctrl-C or SIGTERM")
    p.add_argument("--detach", action="store_true", help="exit after submitting, without following the run")
    p.add_argument("--print", action="store_true", help="print the manifest and exit")
    return p


def positive(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def split(arguments):
    """(our options, the job's): cut at `--`."""
    if "--" not in arguments:
        if {"-h", "--help"} & set(arguments):
            return arguments, []
        raise Failure("put -- between these options and those of the job; see --help", 2)
    cut = arguments.index("--")
    return arguments[:cut], arguments[cut + 1 :]


def main(arguments):
    ours, job = split(arguments)
    options = parser().parse_args(ours)
    name = options.name or f"tomobasis-{secrets.token_hex(4)}"
    if not re.fullmatch("[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name):
        raise Failure(f"--name: {name!r} is not made of a to z, 0 to 9 and -, beginning with a letter, 63 at most", 2)
    kubectl = Kubectl(options.context, options.namespace)
    overlay = render.find_overlay(Path(__file__).resolve().parent.parent, options.overlay)
    properties = render.properties(name, options.image, options.executors, options.conf)
    manifest = kubectl.kustomize(overlay, render.patches(name, properties, job))
    if options.print:
        print(manifest, end="")
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    uid = kubectl.create(manifest, name)
    print(f"application {name} in namespace {options.namespace}", file=sys.stderr)
    if options.detach:
        return 0
    follower = Follower(kubectl, name, uid, options.patience)
    try:
        return follower.run()
    except KeyboardInterrupt:
        if options.delete_on_interrupt:
            kubectl.delete_application(name, uid)
            print(f"interrupted; application {name} removed", file=sys.stderr)
        else:
            print(f"interrupted; it runs on. To remove it: {kubectl.shown(f'delete {APPLICATIONS}', name)}",
                  file=sys.stderr)  # fmt: skip
        return 130
    finally:
        follower.close()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        sys.exit(failure.exit_code)
    except KeyboardInterrupt:
        print("interrupted before an application was made", file=sys.stderr)
        sys.exit(130)
