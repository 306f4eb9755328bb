"""Runs the component of k8s/pipelines/v2 with kfp.local, in the environment of Kubeflow Pipelines 2; prints its outputs as JSON.

run_component.py ROOT NAMESPACE RUN STEP INPUT OUTPUT
"""

import json
import sys
from pathlib import Path

from kfp import local

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "k8s/pipelines/v2"))
import pipeline

root, namespace, run, step, input_uri, output_uri = sys.argv[1:]
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=root)
task = pipeline.decompose(
    manifest=json.dumps(pipeline.application("s3")),
    namespace=namespace,
    run=run,
    step=step,
    input_uri=input_uri,
    output_uri=output_uri,
    rank="full",
)
outputs = {name: {"path": a.path, "uri": a.uri, "metadata": a.metadata} for name, a in task.outputs.items()}
print("OUTPUTS " + json.dumps(outputs))
