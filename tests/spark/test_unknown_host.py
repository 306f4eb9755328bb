"""The job where the machine's own name has no address, as in a bare chroot."""

import os
import shutil
import subprocess

import pytest

from running import ROOT, start


@pytest.mark.spark
def test_a_machine_that_does_not_know_its_own_name_runs_the_local_job(made, tmp_path):
    if os.getuid() != 0:
        pytest.skip("needs root, to give the machine another name in a namespace")
    around = ["unshare", "--uts", "sh", "-c", 'hostname no-such-host-xyz && exec "$@"', "sh"]
    if not shutil.which("unshare") or subprocess.run([*around, "true"], capture_output=True).returncode != 0:
        pytest.skip("no namespaces here")
    job = [
        ROOT / "bin/tomobasis-submit",
        "--master",
        "local[2]",
        "--",
        "--input",
        made.folder,
        "--output",
        tmp_path / "r",
    ]
    run = start([*around, *job])
    assert run.code == 0, run.err
