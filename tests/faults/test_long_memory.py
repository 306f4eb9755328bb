"""What takes long to show: memory over 200 jobs, and a matrix four times larger than the whole heap of its executor."""

import pytest

from archive import root
from resident import growth
from running import decompose, made_scan

pytestmark = pytest.mark.spark


def test_resident_memory_is_flat_over_200_jobs_in_one_jvm(tmp_path):
    grown, had = growth(tmp_path, 200, 40)
    assert grown < 1.05, had


def test_a_matrix_four_times_larger_than_its_executors_has_the_same_digest(standalone_cluster, tmp_path):
    """One executor of 480 MB; the scan has 960 slices of 1024 x 1024 pixels, 2 GB."""
    made_scan(tmp_path / "scan", slices=960, rows=1024, columns=1024)
    job = ["--input", tmp_path / "scan", "--rank", "2", "--emit", "parquet"]
    told = decompose(*job, "--output", tmp_path / "command")
    assert told.code == 0, told.err
    run = standalone_cluster.run(*job, "--output", tmp_path / "result", spark_executor_memory="480m", cores=1)
    assert run.code == 0, run.err
    assert root(tmp_path / "result") == root(tmp_path / "command")
