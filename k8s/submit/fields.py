"""Where in a SparkApplication a property of Spark is set.

The operator makes properties of the application's fields, which it gives to spark-submit after those of `sparkConf`: beside a field, a
property there has no effect. So what has a field is written into the field, and into `sparkConf` goes only what has none.
"""

import re

from kubectl import Failure


def text(value):
    return value


def memory(value):
    """In capitals the unit is read the same by the operator, which adds quantities up for Volcano: 4g is none to it."""
    return value.upper() if re.fullmatch(r"\d+[gm]", value) else value


def number(value):
    if not re.fullmatch("[0-9]{1,9}", value):
        raise ValueError("a whole number")
    return int(value)


def flag(value):
    if value not in ("true", "false"):
        raise ValueError("true or false")
    return value == "true"


def secret(value):
    name, colon, key = value.partition(":")
    if not (name and colon and key):
        raise ValueError("SECRET:KEY")
    return {"name": name, "key": key}


# Property: the field's path in `spec`, and how a value is written there.
FIELDS = {
    "spark.kubernetes.container.image": ("image", text),
    "spark.kubernetes.container.image.pullPolicy": ("imagePullPolicy", text),
    "spark.kubernetes.memoryOverheadFactor": ("memoryOverheadFactor", text),
    "spark.executor.instances": ("executor.instances", number),
    "spark.kubernetes.executor.deleteOnTermination": ("executor.deleteOnTermination", flag),
    "spark.dynamicAllocation.enabled": ("dynamicAllocation.enabled", flag),
    "spark.dynamicAllocation.initialExecutors": ("dynamicAllocation.initialExecutors", number),
    "spark.dynamicAllocation.minExecutors": ("dynamicAllocation.minExecutors", number),
    "spark.dynamicAllocation.maxExecutors": ("dynamicAllocation.maxExecutors", number),
    "spark.dynamicAllocation.shuffleTracking.enabled": ("dynamicAllocation.shuffleTrackingEnabled", flag),
    "spark.dynamicAllocation.shuffleTracking.timeout": ("dynamicAllocation.shuffleTrackingTimeout", number),
}
# The same ones under a name, which follows the property's dot and is the field's key.
MAPS = {
    "spark.hadoop.": ("hadoopConf", text),
    "spark.kubernetes.node.selector.": ("nodeSelector", text),
    "spark.kubernetes.driverEnv.": ("driver.envVars", text),
    "spark.executorEnv.": ("executor.envVars", text),
}
for role in ("driver", "executor"):
    FIELDS |= {
        f"spark.{role}.cores": (f"{role}.cores", number),
        f"spark.{role}.memory": (f"{role}.memory", memory),
        f"spark.{role}.memoryOverhead": (f"{role}.memoryOverhead", memory),
        f"spark.{role}.extraJavaOptions": (f"{role}.javaOptions", text),
        f"spark.kubernetes.{role}.container.image": (f"{role}.image", text),
        f"spark.kubernetes.{role}.request.cores": (f"{role}.coreRequest", text),
        f"spark.kubernetes.{role}.limit.cores": (f"{role}.coreLimit", text),
        f"spark.kubernetes.authenticate.{role}.serviceAccountName": (f"{role}.serviceAccount", text),
    }
    MAPS |= {
        f"spark.kubernetes.{role}.label.": (f"{role}.labels", text),
        f"spark.kubernetes.{role}.annotation.": (f"{role}.annotations", text),
        f"spark.kubernetes.{role}.secretKeyRef.": (f"{role}.envSecretKeyRefs", secret),
    }
# What the operator decides itself, and what to use instead.
OPERATORS = {
    "spark.app.name": "use --name",
    "spark.kubernetes.namespace": "use --namespace",
    "spark.master": "use --context",
    "spark.submit.deployMode": "leave it out",
    "spark.kubernetes.driver.pod.name": "leave it out",
    "spark.kubernetes.submission.waitAppCompletion": "leave it out",
}
for role in ("driver", "executor"):
    template = f"change spec.{role}.template in an overlay of your own"
    OPERATORS |= dict.fromkeys(
        (f"spark.kubernetes.{role}.podTemplateFile", f"spark.kubernetes.{role}.podTemplateContainerName"), template
    )


def place(key, value):
    """(path, value): where the property is set in `spec`, and what is written there."""
    if key in OPERATORS:
        raise Failure(f"--conf: {key} is set by the Spark operator; {OPERATORS[key]}", 2)
    field, form = FIELDS.get(key, (None, text))
    path = field.split(".") if field else ["sparkConf", key]
    for prefix, (field, form_of_map) in MAPS.items():
        if key.startswith(prefix) and key != prefix:
            path, form = [*field.split("."), key.removeprefix(prefix)], form_of_map
    try:
        return path, form(value)
    except ValueError as wanted:
        raise Failure(f"--conf: {key} is {wanted}, not {value!r}", 2) from wanted


def merged(places):
    """One object with each value at its path."""
    spec = {}
    for path, value in places:
        inner = spec
        for step in path[:-1]:
            inner = inner.setdefault(step, {})
        inner[path[-1]] = value
    return spec
