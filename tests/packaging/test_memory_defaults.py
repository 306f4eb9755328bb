"""What tomobasis-submit sets for memory outside the heaps, and when it leaves that to the user."""

import re

import pytest

from running import ROOT, start

JOB = ("--", "--input", "in", "--output", "out")
ARENAS = re.compile(r"spark\.executorEnv\.MALLOC_ARENA_MAX=(\d+)|arenas of the driver: (\d+)")
OVERHEAD = re.compile(r"spark\.(driver|executor)\.memoryOverhead=(\d+)m")


@pytest.fixture
def called(tmp_path):
    """What spark-submit is called with."""
    home = tmp_path / "spark"
    (home / "bin").mkdir(parents=True)
    (home / "conf").mkdir()
    program = home / "bin/spark-submit"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" "arenas of the driver: $MALLOC_ARENA_MAX"\n')
    program.chmod(0o755)

    def run(*words, site="", **environment):
        (home / "conf/spark-defaults.conf").write_text(site)
        environment |= {"SPARK_HOME": str(home), "SPARK_CONF_DIR": str(home / "conf")}
        done = start([ROOT / "bin/tomobasis-submit", *words], **environment)
        assert done.code == 0, done.err
        return done.out

    return run


@pytest.fixture
def said(called):
    """The overheads in MiB that it is called with."""

    def run(*words, site=""):
        return {role: int(size) for role, size in OVERHEAD.findall(called(*words, site=site))}

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


@pytest.mark.parametrize("master", ["local[2]", "spark://127.0.0.1:1", "yarn"])
def test_driver_and_executors_have_few_malloc_arenas_unless_more_are_asked_for(master, called):
    def arenas(**asked):
        return [executor or driver for executor, driver in ARENAS.findall(called("--master", master, *JOB, **asked))]

    assert arenas() == ["4", "4"]
    assert arenas(MALLOC_ARENA_MAX="9") == ["9", "9"]
    assert arenas(site="spark.executorEnv.MALLOC_ARENA_MAX 7\n") == ["4"]
