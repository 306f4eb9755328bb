"""The library as users of Maven repositories get it: what is published, and a project of its own that uses it."""

import re
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile

import pytest

from running import ROOT

NAME = "tomobasis-spark_2.13"
POM = "{http://maven.apache.org/POM/4.0.0}"


def run(*command, folder=ROOT):
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The repository, and the version in it."""
    repository = tmp_path_factory.mktemp("maven")
    run("make", "publish-local", f"MAVEN_REPOSITORY={repository}")
    (version,) = (path for path in (repository / "io/tomobasis" / NAME).iterdir() if path.is_dir())
    return repository, version.name


def test_what_is_published_has_a_pom_with_licenses_sources_and_documentation(published):
    repository, version = published
    folder = repository / "io/tomobasis" / NAME / version
    pom = ElementTree.parse(folder / f"{NAME}-{version}.pom").getroot()
    assert pom.findtext(f"{POM}licenses/{POM}license/{POM}name") == "Apache-2.0"
    scopes = {d.findtext(f"{POM}artifactId"): d.findtext(f"{POM}scope") for d in pom.iter(f"{POM}dependency")}
    assert scopes == {"spark-sql_2.13": "provided", "spark-mllib_2.13": "provided"}
    names = {
        kind: zipfile.ZipFile(folder / f"{NAME}-{version}{kind}.jar").namelist()
        for kind in ["", "-sources", "-javadoc"]
    }
    assert {"io/tomobasis/spark/TomoBasis.class", "META-INF/LICENSE", "META-INF/LINKED.txt"} <= set(names[""])
    assert any(re.match(r"native/linux-\w+/libtomobasis_jni\.so", name) for name in names[""])
    assert {"io/tomobasis/spark/TomoBasis.scala", "io/tomobasis/jni/MatrixSource.java"} <= set(names["-sources"])
    assert {"io/tomobasis/spark/TomoBasis$.html", "jni/io/tomobasis/jni/MatrixSource.html"} <= set(names["-javadoc"])
    linked = zipfile.ZipFile(folder / f"{NAME}-{version}.jar").read("META-INF/LINKED.txt").decode()
    assert len(linked.splitlines()) > 50 and all(re.match(r"\S+ v\S+: \S", line) for line in linked.splitlines())
    assert str(ROOT) not in linked


def test_a_gradle_project_of_its_own_compiles_against_it_and_runs(published, tmp_path):
    repository, version = published
    project = tmp_path / "project"
    run("cp", "-r", ROOT / "tests/published/project", project)
    spark = re.search(r"^sparkVersion=(.+)$", (ROOT / "gradle.properties").read_text(), re.MULTILINE)[1]
    words = [f"-Prepository={repository}", f"-PtomobasisVersion={version}", f"-PsparkVersion={spark}"]
    said = run("gradle", "--no-daemon", "--quiet", *words, "use", folder=project)
    assert "sigma 4.0 3.0" in said and re.search(r"rows 2 root [0-9a-f]{64}", said)
