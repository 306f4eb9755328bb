"""Why a run does not get on, from what Kubernetes says about its pods: one line each, with what to do.

Every function takes objects as the API gives them.
"""

PULL = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "RegistryUnavailable"}
CONFIG = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}


def role(pod):
    return pod["metadata"].get("labels", {}).get("spark-role", "pod")


def container(pod):
    """State of the container that Spark runs in: it is the first, and the templates have no other."""
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    return statuses[0].get("state", {}) or {}


def unstartable(pod):
    """The reason why this pod will not start however long one waits; None while it may."""
    waiting = container(pod).get("waiting", {})
    reason, message = waiting.get("reason"), waiting.get("message", "")
    image = pod["spec"]["containers"][0]["image"]
    if reason in PULL:
        return (
            f"the {role(pod)}'s image cannot be pulled ({reason}): {image}; check its name (--image, k8s/values), "
            "that the nodes reach its registry, and the pull secret"
        )
    if reason in CONFIG:
        if "secret" in message or "configmap" in message:
            return (
                f"the {role(pod)} lacks something of its namespace ({message}); docs/kubernetes.md says how to make it"
            )
        return f"the {role(pod)}'s container cannot be made ({reason}): {message}"
    return None


def pending(pod):
    """Why this pod has no node yet; None when it has one, or when its scheduler says nothing."""
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return unschedulable(pod, condition.get("message", condition.get("reason", "")))
    return None


def unexplained(pod):
    """The reason for a pod without a node whose scheduler says nothing, as YuniKorn of a driver until its job fits; None when it has one."""
    return None if pod["spec"].get("nodeName") else gang(pod)


def gang(pod):
    scheduler = pod["spec"].get("schedulerName", "its scheduler")
    return (
        f"the {role(pod)} waits for {scheduler}: a gang scheduler starts a job when there is room for all of its pods; free some, "
        f"add nodes, ask for less in k8s/values, wait longer (--patience), or see that {scheduler} runs"
    )


def unschedulable(pod, message):
    asked = pod["spec"]["containers"][0].get("resources", {}).get("requests", {})
    wants = f"the {role(pod)} waits for a node"
    if "Insufficient" in message:
        short = ", ".join(sorted(what for what in ("cpu", "memory") if f"Insufficient {what}" in message))
        return (
            f"{wants} with enough {short or 'resources'} (it asks for {asked.get('cpu', '?')} cpu and "
            f"{asked.get('memory', '?')}); free some, add nodes, or ask for less in k8s/values"
        )
    if "pod group is not ready" in message:  # Volcano
        return gang(pod)
    if "unbound" in message or "persistentvolumeclaim" in message.lower():
        return f"{wants}: its volume is not there ({message}); check kubectl get pvc"
    if (
        "taint" in message
        or "node affinity" in message
        or "node selector" in message
        or "node(s) didn't match" in message
    ):
        return f"{wants} that it may use ({message}); check tolerations and node selectors"
    return f"{wants}: {message}"


def killed(pod):
    """How this pod's container ended, when it did not end by itself; None otherwise."""
    ended = container(pod).get("terminated")
    if not ended or ended.get("exitCode", 0) == 0:
        return None
    if ended.get("reason") == "OOMKilled":
        limit = pod["spec"]["containers"][0].get("resources", {}).get("limits", {}).get("memory", "?")
        return (
            f"the {role(pod)} was killed: it needed more than its {limit} of memory; give more memory or memoryOverhead "
            f"({role(pod)}Memory in k8s/values, --conf spark.{role(pod)}.memoryOverhead=2g)"
        )
    if pod.get("status", {}).get("reason") == "Evicted":
        return f"the {role(pod)} was evicted: {pod['status'].get('message', 'its node ran short')}"
    if ended.get("exitCode") in (137, 143):
        return (
            f"the {role(pod)} was stopped from outside (exit code {ended['exitCode']}: deleted, drained or preempted)"
        )
    return None


def submission(message):
    """Why the operator could not start the driver."""
    if "violates PodSecurity" in message:
        return f"the namespace's pod security standard refuses the pods: {after(message, 'violates PodSecurity')}"
    if "exceeded quota" in message:
        return f"the namespace's quota is used up: {after(message, 'exceeded quota')}"
    if "serviceaccount" in message and "not found" in message:
        return "the driver's service account is missing; apply k8s/setup to the namespace"
    if "forbidden" in message.lower():
        return f"the Spark operator may not create pods in this namespace ({after(message, 'orbidden')}); is it one of those it serves?"
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return f"the Spark operator could not start the driver: {lines[-1] if lines else 'no reason given'}"


def after(message, word):
    rest = message[message.index(word) :] if word in message else message
    return rest.split("\n")[0].strip().rstrip(".")[:300]
