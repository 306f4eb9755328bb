"""The product's version stands in Cargo.toml, Spark's in gradle.properties; what carries them elsewhere is written from there."""

import re
import shutil
import subprocess
import sys

import pytest

from running import ROOT

SCRIPT = "scripts/version.py"
PLACES = [
    "CITATION.cff",
    "python/Cargo.toml",
    "k8s/values/values.yaml",
    "k8s/spark-submit/spark.conf",
    "k8s/pipelines/v1/pipeline.yaml",
]
SPARKS = ["requirements.txt", "bin/tomobasis-submit", "k8s/base/application.yaml"]


def version(root, *arguments):
    return subprocess.run([sys.executable, root / SCRIPT, *arguments], capture_output=True, text=True)


@pytest.fixture
def checkout(tmp_path):
    """The files that carry a version, in a repository of their own."""
    for name in [SCRIPT, "Cargo.toml", "gradle.properties", *PLACES, *SPARKS]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    return tmp_path


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_all_places_carry_the_versions_of_this_checkout():
    checked = version(ROOT)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert f'\nversion = "{checked.stdout.strip()}"\n' in (ROOT / "Cargo.toml").read_text()


@pytest.mark.parametrize("place", PLACES)
def test_a_place_with_another_version_is_named(checkout, place):
    replace(checkout / place, version(checkout).stdout.strip(), "9.8.7")
    checked = version(checkout)
    assert (checked.returncode, checked.stdout) == (1, "")
    assert f"{place}: 9.8.7, but" in checked.stderr


def test_a_place_without_its_version_is_named(checkout):
    replace(checkout / "CITATION.cff", "\nversion:", "\nedition:")
    assert "CITATION.cff: no version where one is expected" in version(checkout).stderr


def test_a_new_version_is_set_in_one_file_and_written_to_the_others(checkout):
    old = version(checkout).stdout.strip()
    replace(checkout / "Cargo.toml", f'version = "{old}"', 'version = "9.8.7-rc.1"')
    assert version(checkout).returncode == 1
    assert sorted(version(checkout, "--write").stdout.split()) == sorted(PLACES)
    assert version(checkout).stdout == "9.8.7-rc.1\n"
    for place in PLACES:
        assert old not in (checkout / place).read_text()


def test_another_version_of_spark_is_set_in_one_file_too(checkout):
    properties = checkout / "gradle.properties"
    (old,) = re.findall("^sparkVersion=(.+)$", properties.read_text(), re.MULTILINE)
    replace(properties, f"sparkVersion={old}", "sparkVersion=9.8.7")
    assert version(checkout).stderr.count(f"{old}, but it is 9.8.7") == len(SPARKS)
    assert sorted(version(checkout, "--write").stdout.split()) == sorted(SPARKS)
    assert version(checkout).returncode == 0
