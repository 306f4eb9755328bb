"""The cluster's DNS: addresses of services, as the API has them at that moment. Names outside the cluster do not exist; the answer says
so at once, so that no resolver in a pod waits for a time-out.

    names.py ADDRESS        answers on port 53; needs kubectl and KUBECONFIG
"""

import json
import subprocess
import sys
import time

from dnslib import QTYPE, RCODE, RR, A
from dnslib.server import BaseResolver, DNSLogger, DNSServer


def kubectl(*words):
    done = subprocess.run(["kubectl", *words, "-o", "json"], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def addresses(name, namespace):
    """IPv4 addresses of a service: its own, or, when it has none, those of its pods. None where there is no such service."""
    service = kubectl("-n", namespace, "get", "service", name)
    if service is None:
        return None
    if service["spec"]["clusterIP"] != "None":
        return [service["spec"]["clusterIP"]]
    slices = kubectl("-n", namespace, "get", "endpointslices", "-l", f"kubernetes.io/service-name={name}")
    return [a for one in slices["items"] for endpoint in one["endpoints"] or () for a in endpoint["addresses"]]


class Services(BaseResolver):
    def resolve(self, request, handler):
        reply = request.reply()
        labels = str(request.q.qname).rstrip(".").split(".")
        found = None
        if len(labels) in (3, 5) and labels[2:] in (["svc"], ["svc", "cluster", "local"]):
            found = addresses(*labels[:2])
        if found is None:
            reply.header.rcode = RCODE.NXDOMAIN
        elif request.q.qtype == QTYPE.A:
            for address in found:
                reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(address), ttl=1))
        return reply


if __name__ == "__main__":
    server = DNSServer(Services(), address=sys.argv[1], port=53, logger=DNSLogger("-request,-reply"))
    server.start_thread()
    while server.isAlive():
        time.sleep(1)
