"""Memory over many jobs in one JVM, and a matrix that is larger than what executors keep in memory."""

import json

import pytest

from archive import root
from resident import growth
from running import decompose, made_scan

pytestmark = [pytest.mark.spark, pytest.mark.alone]


def test_resident_memory_is_flat_over_jobs_in_one_jvm(tmp_path):
    grown, had = growth(tmp_path, 20, 8)
    assert grown < 1.08, had


def test_a_matrix_four_times_larger_than_what_executors_keep_has_the_same_digest(standalone_cluster, tmp_path):
    """Of 480 MB of heap Spark keeps 2 % of what is over 300 MB, about 4 MB, for blocks; the scan has 16 MB."""
    made_scan(tmp_path / "scan", slices=128, rows=256, columns=256)
    job = ["--input", tmp_path / "scan", "--rank", "4", "--emit", "parquet"]
    told = decompose(*job, "--output", tmp_path / "command")
    assert told.code == 0, told.err
    log = tmp_path / "log"
    log.mkdir()
    conf = {"spark_executor_memory": "480m", "spark_memory_fraction": "0.02", "cores": 1}
    conf |= {
        "spark_eventLog_enabled": "true",
        "spark_eventLog_compress": "false",
        "spark_eventLog_dir": log.as_uri(),
        "spark_eventLog_logBlockUpdates_enabled": "true",
    }
    run = standalone_cluster.run(*job, "--output", tmp_path / "result", **conf)
    assert run.code == 0, run.err
    assert root(tmp_path / "result") == root(tmp_path / "command")
    assert spilled(log) > 12 << 20


def spilled(log):
    """Bytes of row blocks that an event log says were put on disk."""
    sizes = {}
    for path in sorted(log.rglob("events_*")):
        for line in path.read_text().splitlines():
            event = json.loads(line)
            if event["Event"] == "SparkListenerBlockUpdated":
                block = event["Block Updated Info"]
                if block["Block ID"].startswith("rdd_"):
                    sizes[block["Block ID"]] = max(sizes.get(block["Block ID"], 0), block["Disk Size"])
    return sum(sizes.values())
