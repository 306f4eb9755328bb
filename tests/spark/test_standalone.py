"""The job on a standalone cluster of real processes: how it is cut, what it says while it waits, what it refuses."""

import json
import zipfile

import pytest

from running import ROOT, start

pytestmark = pytest.mark.spark


def test_partitions_follow_the_cores_of_all_executors_and_the_bits_those_of_the_command(
    standalone_cluster, made, tmp_path
):
    collector = "-XX:+UseParallelGC -XX:TieredStopAtLevel=1"  # a user's choice, beside our defaults
    conf = {f"spark_{role}_extraJavaOptions": collector for role in ("driver", "executor")}
    run = standalone_cluster.run("--input", made.folder, "--output", tmp_path / "result", **conf)
    assert run.code == 0, run.err
    manifest = json.loads((tmp_path / "result/manifest.json").read_text())
    # 24 slices, 3 workers of 2 cores: four tasks a core would be 24. Counted before the executors were there: 8.
    assert manifest["run"]["cores"] == 6
    assert manifest["run"]["decode_partitions"] == 24
    root = json.loads((made.result / "manifest.json").read_text())["digests"]["root"]
    assert manifest["digests"]["root"] == root


def test_bad_input_is_the_users_error_on_a_cluster_that_excludes_executors_too(standalone_cluster, made, tmp_path):
    scan = tmp_path / "scan.zip"
    with zipfile.ZipFile(scan, "w") as archive:
        for path in sorted(made.folder.iterdir()):
            archive.write(path, path.name)
        member = archive.infolist()[5]
    content = bytearray(scan.read_bytes())
    # In the pixels, beyond what is read of a file to find its series: a task meets it.
    content[member.header_offset + 30 + len(member.filename) + member.file_size - 500] ^= 255
    scan.write_bytes(content)
    conf = {"spark_excludeOnFailure_enabled": "true", "spark_kryo_registrationRequired": "true"}
    run = standalone_cluster.run("--input", scan, "--output", tmp_path / "result", cores=1, **conf)
    assert run.code == 3
    assert len(run.errors) == 1 and run.errors[0].startswith("error: file 6 of 24 "), run.err
    assert "it is damaged in the archive" in run.errors[0]
    assert run.err.splitlines()[-1] == run.errors[0]
    assert not (tmp_path / "result").exists()


def test_spark_starts_before_the_input_is_looked_at_and_after_the_output_was(standalone_cluster, made, tmp_path):
    before = len(standalone_cluster.applications())
    taken = standalone_cluster.submit("--input", made.folder, "--output", made.result)
    missing = standalone_cluster.submit("--input", tmp_path / "absent", "--output", tmp_path / "result", cores=1)
    assert taken.finish().code == 2
    run = missing.finish()
    assert run.code == 3
    assert len(run.errors) == 1 and run.errors[0].startswith("error: --input: "), run.err
    assert len(standalone_cluster.applications()) == before + 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_waited_for_is_said_where_no_executor_fits_and_where_none_starts(standalone_cluster, made, tmp_path):
    job = ["--input", made.folder, "--output", tmp_path / "result"]
    large = standalone_cluster.submit(*job, spark_executor_memory="3g", spark_executor_cores=4)
    # A user's choice of two collectors: Java does not start.
    twice = "-XX:+UseParallelGC -XX:+UseSerialGC"
    failing = standalone_cluster.submit(*job, cores=1, spark_executor_extraJavaOptions=twice)
    line = large.wait_for("waiting for executors")
    assert "4 cores and 3.0 GiB" in line and "2 cores and 1.2 GiB" in line and "--executor-memory" in line, line
    line = failing.wait_for("waiting for executors")
    assert "have ended as they started" in line and "stderr" in line, line
    for driver in (large, failing):
        driver.process.kill()
        driver.finish()


@pytest.mark.parametrize("mode", [["--deploy-mode", "cluster"], ["--conf", "spark.submit.deployMode=cluster"]])
def test_a_driver_on_a_worker_is_refused_in_words(mode, tmp_path):
    job = ["--", "--input", tmp_path, "--output", tmp_path / "result"]
    run = start([ROOT / "bin/tomobasis-submit", "--master", "spark://127.0.0.2:7077", *mode, *job])
    assert run.code == 2
    assert len(run.errors) == 1 and "--deploy-mode" in run.errors[0]
