"""The job on a standalone cluster of real processes: how it is cut, what it says while it waits, what it refuses."""

import json
import queue
import threading
import time
import zipfile

import pytest

from running import ROOT, start
from standalone import standalone, stop

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with standalone(tmp_path_factory.mktemp("standalone"), workers=3, cores=2) as running:
        yield running


def lines_until(process, wanted, seconds):
    """What a process prints on stderr until a line holds `wanted`."""
    lines, seen = queue.Queue(), []
    threading.Thread(target=lambda: [lines.put(line) for line in process.stderr], daemon=True).start()
    until = time.monotonic() + seconds
    while not (seen and wanted in seen[-1]):
        try:
            seen.append(lines.get(timeout=max(0.1, until - time.monotonic())))
        except queue.Empty:
            pytest.fail(f"no line with {wanted!r} in {seconds} s: {seen}")
    return seen


def test_partitions_follow_the_cores_of_all_executors_and_the_bits_those_of_the_command(cluster, made, tmp_path):
    collector = {f"spark.{of}.extraJavaOptions": "-XX:+UseParallelGC" for of in ("driver", "executor")}
    run = cluster.submit("--input", made.folder, "--output", tmp_path / "result", conf=collector)
    assert run.code == 0, run.err
    manifest = json.loads((tmp_path / "result/manifest.json").read_text())
    # 24 slices, 3 workers of 2 cores: four tasks a core would be 24. Counted before the executors were there: 8.
    assert manifest["run"]["cores"] == 6
    assert manifest["run"]["decode_partitions"] == 24
    root = json.loads((made.result / "manifest.json").read_text())["digests"]["root"]
    assert manifest["digests"]["root"] == root


def test_bad_input_is_the_users_error_on_a_cluster_that_excludes_executors_too(cluster, made, tmp_path):
    scan = tmp_path / "scan.zip"
    with zipfile.ZipFile(scan, "w") as archive:
        for path in sorted(made.folder.iterdir()):
            archive.write(path, path.name)
        member = archive.infolist()[5]
    content = bytearray(scan.read_bytes())
    # In the pixels, beyond what is read of a file to find its series: a task meets it.
    content[member.header_offset + 30 + len(member.filename) + member.file_size - 500] ^= 255
    scan.write_bytes(content)
    exclude = {"spark.excludeOnFailure.enabled": "true", "spark.kryo.registrationRequired": "true"}
    run = cluster.submit("--input", scan, "--output", tmp_path / "result", conf=exclude)
    assert run.code == 3
    assert len(run.errors) == 1 and run.errors[0].startswith("error: --input: the archive is damaged"), run.err
    assert run.err.splitlines()[-1] == run.errors[0]
    assert not (tmp_path / "result").exists()


def test_what_is_waited_for_is_said_where_no_executor_fits_and_where_none_starts(cluster, made, tmp_path):
    job = ["--input", made.folder, "--output", tmp_path / "result"]
    large = cluster.submitting(*job, conf={"spark.executor.memory": "3g", "spark.executor.cores": "4"})
    # A user's choice of two collectors: Java does not start.
    twice = {"spark.executor.extraJavaOptions": "-XX:+UseParallelGC -XX:+UseSerialGC", "spark.cores.max": "2"}
    failing = cluster.submitting(*job, conf=twice)
    try:
        line = lines_until(large, "waiting for executors", 60)[-1]
        assert "4 cores and 3.0 GiB" in line and "2 cores and 1.0 GiB" in line and "--executor-memory" in line, line
        line = lines_until(failing, "waiting for executors", 60)[-1]
        assert "have ended as they started" in line and "stderr" in line, line
    finally:
        stop(large)
        stop(failing)


@pytest.mark.parametrize("mode", [["--deploy-mode", "cluster"], ["--conf", "spark.submit.deployMode=cluster"]])
def test_a_driver_on_a_worker_is_refused_in_words(mode, tmp_path):
    job = ["--", "--input", tmp_path, "--output", tmp_path / "result"]
    run = start([ROOT / "bin/tomobasis-submit", "--master", "spark://127.0.0.2:7077", *mode, *job])
    assert run.code == 2
    assert len(run.errors) == 1 and "--deploy-mode" in run.errors[0]
