"""Spark's own history server shows a run of the job as people have to see it: descriptions, stages and figures, from its event log."""

import json
import socket
import urllib.error
import urllib.request

import pytest

from running import submit
from standalone import JAVA, PATIENCE, spark_home, spawn
from waiting import wait_for

pytestmark = pytest.mark.spark


@pytest.fixture
def history(tmp_path):
    """Reads pages of a history server's REST interface, over the event logs in a folder."""
    logs = tmp_path / "events"
    logs.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"fs.logDirectory": f"file:{logs}", "ui.port": port, "fs.update.interval": "1s"}
    options = " ".join(f"-Dspark.history.{name}={value}" for name, value in settings.items())
    environment = {
        "SPARK_DAEMON_MEMORY": "512m",
        "SPARK_HISTORY_OPTS": f"{options} {JAVA}",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    servers = []

    def read(path):
        if not servers:
            log = (tmp_path / "history.log").open("w")
            words = [spark_home() / "bin/spark-class", "org.apache.spark.deploy.history.HistoryServer"]
            servers.append(spawn(words, env=environment, stdout=log, stderr=log))
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=30) as page:
                return json.load(page)
        except (urllib.error.URLError, ConnectionError):
            assert servers[0].poll() is None, (tmp_path / "history.log").read_text()
            return None

    yield logs, read
    for server in servers:
        server.kill()
        server.wait()


def test_the_event_log_of_a_run_has_descriptions_stages_and_figures(history, made, tmp_path):
    logs, read = history
    conf = ["spark.eventLog.enabled=true", f"spark.eventLog.dir=file:{logs}"]
    run = submit("--input", made.folder, "--output", tmp_path / "result", conf=conf)
    assert run.code == 0, run.err
    line = json.loads(next(line for line in run.err.splitlines() if line.startswith("{")))
    manifest = json.loads((tmp_path / "result/manifest.json").read_text())
    series = manifest["series"]
    n, m = series["slices"], series["rows"] * series["columns"]
    assert (line["run"], line["rows"], line["columns"], line["rank"]) == ("decompose", m, n, manifest["result"]["rank"])
    assert line["root"] == manifest["digests"]["root"] and line["slices_decoded"] == n
    assert line["multiply_accumulates"] == m * n * (n + 1) // 2
    assert line["row_blocks"] == line["row_blocks_made"] == -(-m // 4096) and line["row_blocks_made_again"] == 0
    assert set(line["stages"]) == set(manifest["run"]["timings"])

    applications = wait_for(PATIENCE, "the history server", lambda: read("applications"))
    assert [one["id"] for one in applications] == [line["application"]]
    jobs = wait_for(PATIENCE, "its jobs", lambda: read(f"applications/{line['application']}/jobs"))
    assert jobs and all(job["status"] == "SUCCEEDED" for job in jobs)
    assert all(job["description"].startswith("TomoBasis: ") for job in jobs), jobs
    stages = read(f"applications/{line['application']}/stages")
    done = [stage for stage in stages if stage["status"] == "COMPLETE"]
    assert {"decode slices", "render row blocks"} <= {stage["name"] for stage in done}, stages
    assert all(stage["description"].startswith("TomoBasis: ") for stage in done)
    told = {}
    for stage in done:
        for one in stage["accumulatorUpdates"]:
            told[one["name"]] = max(told.get(one["name"], 0), int(one["value"]))
    assert told["TomoBasis: slices decoded"] == n
    assert told["TomoBasis: bytes read"] == line["bytes_read"] > 2 * m * n
    assert told["TomoBasis: multiply-accumulates of exact sums"] == line["multiply_accumulates"]
    assert told["TomoBasis: row blocks made"] == line["row_blocks"]
    # Nothing of the input's paths, which are the patient's affair, reaches what we say.
    said = json.dumps([line, [job["description"] for job in jobs], [[s["name"], s["description"]] for s in done], told])
    assert str(made.folder) not in said
