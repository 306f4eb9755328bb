"""Class-data sharing: what Java found out about Spark's classes once, for later drivers on this machine."""

import shutil

import pytest

from running import ROOT, start

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A built checkout of its own, which has shared the classes."""
    root = tmp_path_factory.mktemp("checkout")
    (root / "bin").mkdir()
    shutil.copy(ROOT / "bin/tomobasis-submit", root / "bin")
    (root / "build").mkdir()
    for name in ("tomobasis-spark.jar", "tomobasis-log4j2.properties"):
        (root / "build" / name).symlink_to(ROOT / "build" / name)
    (root / ".venv").symlink_to(ROOT / ".venv")
    shared = submit(root, "--share-classes")
    assert (shared.code, shared.out, shared.err) == (0, "", "")
    return root


def submit(root, *arguments):
    return start([root / "bin/tomobasis-submit", *arguments], SPARK_HOME="")


def archive(root):
    [found] = root.glob("build/classes-*")
    return found


def test_a_driver_takes_sparks_classes_from_the_archive(checkout, made, tmp_path):
    log = tmp_path / "classes.log"
    conf = f"spark.driver.extraJavaOptions=-Xlog:class+load:file={log}"
    job = ["--input", made.folder, "--output", tmp_path / "r", "--emit", "parquet"]
    run = submit(checkout, "--master", "local[2]", "--conf", conf, "--", *job)
    assert run.code == 0, run.err
    [loaded] = [line for line in log.read_text().splitlines() if " org.apache.spark.SparkContext " in line]
    assert "source: shared objects file (top)" in loaded


def test_what_is_shared_already_is_not_made_again(checkout):
    before = archive(checkout).stat()
    assert submit(checkout, "--share-classes").code == 0
    assert archive(checkout).stat() == before


def test_an_archive_that_java_cannot_use_changes_nothing_and_is_not_spoken_of(checkout, made, tmp_path):
    of_others = archive(checkout)
    kept = of_others.rename(tmp_path / "kept")
    try:
        # Of the right size, which the name has.
        of_others.write_bytes((b"no archive of classes" * (kept.stat().st_size // 20))[: kept.stat().st_size])
        job = ["--input", made.folder, "--output", tmp_path / "r", "--emit", "parquet"]
        run = submit(checkout, "--master", "local[2]", "--", *job)
    finally:
        kept.rename(of_others)
    assert run.code == 0, run.err
    assert run.out.splitlines()[0].startswith("series ")
    assert ".jsa" not in run.err


def test_a_truncated_archive_is_not_given_to_java_and_is_made_again(checkout, made, tmp_path):
    cut_off = archive(checkout)
    cut_off.chmod(0o644)
    with cut_off.open("r+b") as file:
        file.truncate(1_000_000)
    run = submit(checkout, "--master", "local[2]", "--", "--input", made.folder, "--output", tmp_path / "r")
    assert run.code == 0, run.err
    assert submit(checkout, "--share-classes").code == 0
    assert archive(checkout).stat().st_size > 10_000_000


@pytest.mark.parametrize("arguments", [["--share-classes", "--"], ["--master", "local", "--share-classes"]])
def test_options_beside_are_refused(checkout, arguments):
    run = submit(checkout, *arguments)
    assert (run.code, run.out) == (2, "")
    assert run.err == "error: --share-classes: it takes no options; give it alone\n"


def test_a_spark_whose_classes_cannot_be_shared_is_told_and_leaves_nothing(checkout, tmp_path):
    home = tmp_path / "spark"
    home.mkdir()
    own = next((ROOT / ".venv/lib").glob("python3*/site-packages/pyspark"))
    (home / "jars").symlink_to(own / "jars")
    shutil.copytree(own / "bin", home / "bin")
    (home / "conf").mkdir()
    (home / "conf/spark-env.sh").write_text("")
    shared = start([checkout / "bin/tomobasis-submit", "--share-classes"], SPARK_HOME=home)
    assert (shared.code, shared.out) == (1, "")
    assert "does not share the classes of this Spark" in shared.err
    archive(checkout)
