"""What tomobasis-submit sets for memory outside the heaps, and when it leaves that to the user."""

import re

import pytest

from running import ROOT, start

JOB = ("--", "--input", "in", "--output", "out")
OVERHEAD = re.compile(r"spark\.(driver|executor)\.memoryOverhead=(\d+)m")


@pytest.fixture
def said(tmp_path):
    """The overheads in MiB that spark-submit is called with."""
    home = tmp_path / "spark"
    (home / "bin").mkdir(parents=True)
    (home / "conf").mkdir()
    program = home / "bin/spark-submit"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)

    def run(*words, site=""):
        (home / "conf/spark-defaults.conf").write_text(site)
        done = start([ROOT / "bin/tomobasis-submit", *words], SPARK_HOME=str(home), SPARK_CONF_DIR=str(home / "conf"))
        assert done.code == 0, done.err
        return {role: int(size) for role, size in OVERHEAD.findall(done.out)}

    return run


@pytest.mark.parametrize("master", ["yarn", "k8s://https://127.0.0.1"])
def test_containers_get_an_overhead_by_cores_rank_and_heap(master, said):
    one = said("--master", master, *JOB)
    assert one["executor"] > 384 and one["driver"] > 409, one
    four = said("--master", master, "--executor-cores", "4", *JOB)
    assert four["executor"] > one["executor"] and four["driver"] == one["driver"]
    few = said("--master", master, "--conf", "spark.executor.cores=4", *JOB, "--rank", "10")
    assert few["executor"] < four["executor"] and few["driver"] < four["driver"]
    large = said("--master", master, "--executor-memory", "40g", *JOB)
    assert large["executor"] == one["executor"] - 384 + 4096
    assert said("--master", master, *JOB, site="spark.executor.memory 40g\n") == large
    many = said("--master", master, *JOB, "--series", "all")
    assert many["executor"] > 384 + 256 and many["driver"] < one["driver"], many  # a scan of 512 slices in a task


def test_what_a_user_or_a_site_has_set_stays(said):
    asked = said("--master", "yarn", "--conf", "spark.executor.memoryOverhead=7m", *JOB)
    assert asked["executor"] == 7 and asked["driver"] > 409
    site = said(
        "--master", "yarn", *JOB, site="spark.driver.memoryOverhead=8m\nspark.executor.memoryOverheadFactor 0.3\n"
    )
    assert site == {}


@pytest.mark.parametrize("master", ["local[2]", "spark://127.0.0.1:1"])
def test_nothing_is_set_where_spark_sets_no_limit(master, said):
    assert said("--master", master, *JOB) == {}


def test_options_that_the_job_will_refuse_are_left_to_it(said):
    assert said("--master", "yarn", "--", "--no-such-option") == {}
