"""The job on an object store, without a cluster: what is right, what is refused, and what a store that fails does to it."""

import os
import shutil
import signal
import subprocess
import time

import pytest

from running import ROOT, Run, start
from store import SPARK_HOME, STRANGER, Keys

INPUT, USAGE = 3, 2


def command(endpoint, *job, conf=()):
    settings = {
        "spark.hadoop.fs.s3a.endpoint": endpoint,
        "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.establish.timeout": "5s",
        "spark.hadoop.fs.s3a.attempts.maximum": "4",
        "spark.hadoop.fs.s3a.retry.limit": "5",
        "spark.hadoop.fs.s3a.retry.interval": "1s",
        **dict(conf),
    }
    words = [word for key, value in settings.items() for word in ("--conf", f"{key}={value}")]
    return [ROOT / "bin/tomobasis-submit", "--master", "local[2]", "--driver-memory", "1g", *words, "--", *job]


def environment(keys):
    return {"SPARK_HOME": str(SPARK_HOME), "AWS_ACCESS_KEY_ID": keys.access, "AWS_SECRET_ACCESS_KEY": keys.secret}


def submit(endpoint, keys, *job, conf=()):
    return start(command(endpoint, *job, conf=conf), **environment(keys))


def test_a_scan_in_the_store_gives_the_result_of_the_laptop_in_the_store(endpoint, keys, bucket, scan, tmp_path):
    run = submit(endpoint, keys, "--input", bucket.uri("series"), "--output", bucket.uri("local"))
    assert run.code == 0, run.err
    assert "_UNFINISHED" not in bucket.names("local")
    scan.same_as(bucket.get("local", tmp_path / "result"))
    again = submit(endpoint, keys, "--input", bucket.uri("series"), "--output", bucket.uri("local"))
    assert again.code == USAGE
    assert "exists already" in again.err


@pytest.mark.parametrize(
    ("wrong", "where", "says"),
    [
        ("unknown key", "{bucket}/series", "does not know this access key"),
        ("wrong secret", "{bucket}/series", "secret key does not belong"),
        ("no permission", "{bucket}/series", "these keys have no permission"),
        ("no bucket", "absent/series", "there is no such bucket"),
        ("no prefix", "{bucket}/absent", "there is no such folder or file"),
        ("no keys", "{bucket}/series", "no keys were given"),
    ],
    ids=lambda text: text if text.startswith(("no ", "unknown", "wrong")) else "-",
)
def test_each_refusal_of_the_store_is_one_line_that_tells_it_apart(wrong, where, says, endpoint, keys, bucket):
    with_keys = {
        "unknown key": Keys("nobody", "nothing"),
        "wrong secret": Keys(keys.access, "guessed"),
        "no permission": STRANGER,
        "no keys": Keys("", ""),
    }.get(wrong, keys)
    conf = {}
    if wrong == "no keys":  # without asking the network for the identity of a cloud's machine
        conf["spark.hadoop.fs.s3a.aws.credentials.provider"] = (
            "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider"
        )
    run = submit(
        endpoint,
        with_keys,
        "--input",
        f"s3a://{where.format(bucket=bucket.name)}",
        "--output",
        bucket.uri("never"),
        conf=conf,
    )
    assert run.code in (USAGE, INPUT), run.err
    assert len(run.errors) == 1, run.err
    assert says in run.errors[0], run.err
    assert bucket.names("never") == []
    for secret in (with_keys.secret, keys.secret):
        assert not secret or secret not in run.out + run.err


def test_a_store_out_of_reach_is_one_line_within_two_minutes(bucket, keys):
    started = time.monotonic()
    run = submit("http://127.0.0.1:9", keys, "--input", bucket.uri("series"), "--output", bucket.uri("never"))
    assert run.code in (USAGE, INPUT)
    assert len(run.errors) == 1, run.err
    assert "cannot be reached" in run.errors[0]
    assert time.monotonic() - started < 120


def test_ten_thousand_objects_are_listed_and_the_scan_among_them_is_found(endpoint, keys, bucket, scan, tmp_path):
    archive = tmp_path / "archive"
    shutil.copytree(scan.folder, archive / "head")
    for number in range(10_000 - scan.slices):
        folder = archive / f"notes/{number % 100:02}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_text("not an image\n")
    bucket.put(archive, "archive")
    run = submit(endpoint, keys, "--input", bucket.uri("archive"), "--output", bucket.uri("of-archive"))
    assert run.code == 0, run.err
    assert "10000/10000 files" in run.err, run.err
    scan.same_as(bucket.get("of-archive", tmp_path / "result"))


def test_the_images_file_system_shell_copies_a_scan_from_the_store(endpoint, keys, bucket, scan, tmp_path):
    """What `/opt/entrypoint.sh fs` starts, as the pipeline's download step calls it; twice, as after a retry."""
    classpath = f"{SPARK_HOME.parent}/tomobasis/hadoop:{SPARK_HOME}/jars/*"
    settings = {"fs.s3a.endpoint": endpoint, "fs.s3a.endpoint.region": "us-east-1", "fs.s3a.path.style.access": "true"}
    options = [word for key, value in settings.items() for word in ("-D", f"{key}={value}")]
    for source, code in (("series", 0), ("series", 0), ("absent", 1)):
        shell = ["java", "-cp", classpath, "org.apache.hadoop.fs.FsShell", *options]
        run = start([*shell, "-get", "-f", f"{bucket.uri(source)}/*", tmp_path], **environment(keys))
        assert run.code == code, run.err
    copied = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert copied == {path.name: path.read_bytes() for path in scan.folder.iterdir()}


def test_a_store_that_dies_and_comes_back_does_not_change_a_bit(endpoint, keys, bucket, server, scan, tmp_path):
    job = command(endpoint, "--input", bucket.uri("series"), "--output", bucket.uri("after-outage"))
    with subprocess.Popen(
        [str(word) for word in job],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment(keys)},
    ) as process:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "[1/5] scan" in line and f"{scan.slices}/{scan.slices}" in line:
                server.kill()
                time.sleep(4)
                server.start()
        out = process.stdout.read()
    run = Run(process.returncode, out, "".join(lines))
    assert run.code == 0, run.err
    scan.same_as(bucket.get("after-outage", tmp_path / "result"))


class Job:
    """The job as a process that is stopped, woken up or killed where it says certain words."""

    def __init__(self, endpoint, keys, *job, conf=()):
        words = [str(word) for word in command(endpoint, *job, conf=conf)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(words, env={**os.environ, **environment(keys)}, **pipes)
        self.said = ""

    def send_at(self, words, number):
        for line in self.process.stderr:
            self.said += line
            if words in line:
                break
        self.process.send_signal(number)

    def finish(self, number=None):
        if number:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=180)
        return Run(self.process.returncode, out, self.said + err)


def put(bucket, name, content):
    with bucket.files.open_output_stream(f"{bucket.name}/{name}") as out:
        out.write(content)


def read(bucket, name):
    with bucket.files.open_input_stream(f"{bucket.name}/{name}") as data:
        return data.read()


def test_a_killed_run_is_begun_again_by_its_retry_alone(endpoint, keys, bucket, scan, tmp_path):
    job = ["--input", bucket.uri("series"), "--output", bucket.uri("retried")]
    killed = Job(endpoint, keys, *job, conf={"spark.tomobasis.run": "run-1"})
    killed.send_at("[4/5] decompose", signal.SIGKILL)
    killed.finish()
    assert "_UNFINISHED" in bucket.names("retried") and "_SUCCESS" not in bucket.names("retried")
    other = submit(endpoint, keys, *job, conf={"spark.tomobasis.run": "run-2"})
    assert other.code == USAGE
    assert "an unfinished result is there" in other.err
    retry = submit(endpoint, keys, *job, conf={"spark.tomobasis.run": "run-1"})
    assert retry.code == 0, retry.err
    names = bucket.names("retried")
    assert {name.split("/")[0].split("-")[0] for name in names} == {"_SUCCESS", "manifest.json", "run"}
    scan.same_as(bucket.get("retried", tmp_path / "result"))


def test_a_result_is_replaced_and_the_old_ones_files_go(endpoint, keys, bucket, scan, tmp_path):
    job = ["--input", bucket.uri("series"), "--output", bucket.uri("replaced")]
    for rank in (["--rank", "3"], ["--rank", "4", "--overwrite"], ["--overwrite"]):
        run = submit(endpoint, keys, *job, *rank)
        assert run.code == 0, run.err
    folders = {name.split("/")[0] for name in bucket.names("replaced")}
    assert len(folders) == 3 and {"_SUCCESS", "manifest.json"} < folders
    scan.same_as(bucket.get("replaced", tmp_path / "result"))


@pytest.mark.parametrize(("back", "says"), [(False, "another run took it over"), (True, "another run put its result")])
def test_a_stopped_job_that_wakes_up_leaves_the_result_that_is_there(
    back, says, endpoint, keys, bucket, scan, tmp_path
):
    """With its claim put `back`, it is as if it had been stopped after its last look: then the store itself refuses its manifest."""
    output = f"contested-{back}"
    job = ["--input", bucket.uri("series"), "--output", bucket.uri(output)]
    stopped = Job(endpoint, keys, *job)
    stopped.send_at("[4/5] decompose", signal.SIGSTOP)
    claim = read(bucket, f"{output}/_UNFINISHED")
    assert submit(endpoint, keys, *job).code == USAGE
    winner = submit(endpoint, keys, *job, "--overwrite")
    assert winner.code == 0, winner.err
    manifest = read(bucket, f"{output}/manifest.json")
    if back:
        put(bucket, f"{output}/_UNFINISHED", claim)
    woken = stopped.finish(signal.SIGCONT)
    assert woken.code in (1, USAGE) and len(woken.errors) == 1, woken.err
    assert says in woken.errors[0], woken.err
    assert read(bucket, f"{output}/manifest.json") == manifest
    scan.same_as(bucket.get(output, tmp_path / "result"))
