"""The command for a cluster that `tomobasis paper` prints, run as it is in a new folder on a cluster of real processes."""

import json
import os
import subprocess

import pytest

from running import ROOT, decompose, tomobasis
from standalone import JAVA, MASTER, spark_home

pytestmark = pytest.mark.spark


@pytest.mark.parametrize(
    "options",
    [
        ["--rank", "7", "--composite", "2,5", "--center", "both"],
        ["--method", "dssvd", "--rank", "4", "--seed", "3", "--oversample", "5", "--emit", "parquet"],
    ],
)
def test_the_command_for_a_cluster_gives_the_digest_and_every_file(standalone_cluster, made, options, tmp_path):
    run = decompose("--input", made.folder, "--output", tmp_path / "first", *options)
    assert run.code == 0, run.err
    paper = json.loads(tomobasis("paper", tmp_path / "first", "--json").out)
    command = paper["commands"]["cluster"]
    assert f"\n    {command}" in paper["text"]
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / "SCAN").symlink_to(made.folder)
    # What the page calls HOST is the only word that is not taken as it stands; the sizes of this machine are Spark's defaults.
    assert command.count("spark://HOST:7077") == 1
    settings = fresh / "conf"
    settings.mkdir()
    words = {
        **{f"spark.{role}.memory": "512m" for role in ("driver", "executor")},
        **{f"spark.{role}.extraJavaOptions": JAVA for role in ("driver", "executor")},
        "spark.driver.host": MASTER,
        "spark.ui.enabled": "false",
        "spark.master.ui.port": standalone_cluster.page,
    }
    (settings / "spark-defaults.conf").write_text("".join(f"{key} {value}\n" for key, value in words.items()))
    environment = {**os.environ, "SPARK_HOME": str(spark_home()), "SPARK_CONF_DIR": str(settings)}
    environment["PATH"] = f"{ROOT / 'bin'}:{environment['PATH']}"
    line = command.replace("spark://HOST:7077", standalone_cluster.url)
    done = subprocess.run(["sh", "-c", line], cwd=fresh, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert f"root digest  {paper['digests']['root']}" in done.stdout
    same = tomobasis("compare", tmp_path / "first", fresh / "RESULT")
    assert same.code == 0 and "the same values of series, parameters and result" in same.out, same.out + same.err
