#!/usr/bin/env python3
"""Kubeflow Pipelines v1: the pipeline of 2020, with our programs in the places of its containers. Compiled by kfp 1.8 into steps.yaml
beside this file.

| step | in 2020 | here |
|---|---|---|
| download | a script | Hadoop's file system shell: from the object store into the claim tomobasis-data |
| inspect | DICOM to a text matrix | `tomobasis inspect`: the job reads DICOM itself, so the step says what series there are, or why none is |
| decompose | Mahout's DS-SVD on Spark | the SparkApplication: DS-SVD with the same k, p and q |
| render | a script | `tomobasis render`: composites of any slice, differences, basis vectors, spectrum |

The steps share nothing but folders in the claim, beneath one named by the run: series, result, pictures. Whatever container reads and
writes these can stand in for one of them. docs/kubernetes.md says what the namespace must hold.
"""

import sys
from pathlib import Path

from kfp import dsl
from kubernetes import client
from pipeline import VALUES, application, resource, uncached, write

CLAIM, SECRET = "tomobasis-data", "tomobasis-s3"
FOLDER = f"/data/{dsl.RUN_ID_PLACEHOLDER}"
SERIES, RESULT, PICTURES = f"{FOLDER}/series", f"{FOLDER}/result", f"{FOLDER}/pictures"
USER = 185


def restricted(container):
    """What k8s/base asks of the job's pods, of a step's container: the volumes, and no rights."""
    container.set_security_context(
        client.V1SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            run_as_non_root=True,
            run_as_user=USER,
            run_as_group=USER,
            capabilities=client.V1Capabilities(drop=["ALL"]),
            seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
        )
    )
    container.add_volume_mount(client.V1VolumeMount(name="data", mount_path="/data"))
    container.add_volume_mount(client.V1VolumeMount(name="tmp", mount_path="/tmp"))
    container.set_image_pull_policy(VALUES["imagePullPolicy"])
    return container


def program(name, image, *words):
    """A step that runs a program of our image."""
    claim = client.V1PersistentVolumeClaimVolumeSource(claim_name=CLAIM)
    step = dsl.ContainerOp(name=name, image=image, command=["/opt/entrypoint.sh"], arguments=list(words))
    step.add_volume(client.V1Volume(name="data", persistent_volume_claim=claim))
    step.add_volume(client.V1Volume(name="tmp", empty_dir=client.V1EmptyDirVolumeSource()))
    restricted(step.container)
    return uncached(step)


def download(image, source, endpoint, region):
    """Copies what is under `source`; done again, it replaces what it copied."""
    settings = {"fs.s3a.endpoint": endpoint, "fs.s3a.endpoint.region": region, "fs.s3a.path.style.access": "true"}
    options = [word for key, value in settings.items() for word in ("-D", f"{key}={value}")]
    step = program("download", image, "fs", *options, "-get", "-f", f"{source}/*", SERIES)
    folder = dsl.UserContainer("folder", image, command=["mkdir", "-p"], args=[SERIES])
    step.add_init_container(restricted(folder))
    for variable, key in {"AWS_ACCESS_KEY_ID": "access-key", "AWS_SECRET_ACCESS_KEY": "secret-key"}.items():
        reference = client.V1SecretKeySelector(name=SECRET, key=key)
        value = client.V1EnvVarSource(secret_key_ref=reference)
        step.container.add_env_variable(client.V1EnvVar(name=variable, value_from=value))
    return step


@dsl.pipeline(name="tomobasis-steps", description="A CT series from an object store to composites, step by step")
def steps(
    source: str,
    k: int = 50,
    p: int = 15,
    q: int = 2,
    method: str = "dssvd",
    slices: str = "25%,50%,75%",
    composites: str = "1%,5%,100%",
    endpoint: str = VALUES["s3Endpoint"],
    region: str = VALUES["s3Region"],
    image: str = VALUES["image"],
):
    fetched = download(image, source, endpoint, region)
    looked = program("inspect", image, "tomobasis", "inspect", SERIES).after(fetched)
    options = {"--input": f"file://{SERIES}", "--output": f"file://{RESULT}", "--method": method}
    options |= {"--rank": k, "--oversample": p, "--power-iterations": q}
    found = resource(application("pvc"), image, options, after=looked)
    chosen = ["--input", SERIES, "--slice", slices, "--composite", composites]
    drawn = ["tomobasis", "render", RESULT, *chosen, "--output", PICTURES, "--overwrite"]
    program("render", image, *drawn).after(found)


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).with_name("steps.yaml"))
    # The volumes are made writable for the programs' group, as the job's pods do it.
    write(steps, target, f"  securityContext: {{fsGroup: {USER}}}\n")
