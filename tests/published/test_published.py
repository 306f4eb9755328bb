"""The library as users of Maven repositories get it: what is published, and a project of its own that uses it."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile

import pytest

from running import ROOT, made_scan

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


@pytest.fixture(scope="module")
def gradle_project(tmp_path_factory):
    project = tmp_path_factory.mktemp("uses") / "gradle"
    shutil.copytree(ROOT / "tests/published/gradle", project)
    return project


def settings(published, flag):
    """What the projects are told, as Gradle (-P) and sbt (-D) take it."""
    repository, version = published
    of_build = dict(re.findall(r"^(\w+)=(.+)$", (ROOT / "gradle.properties").read_text(), re.MULTILINE))
    told = {"repository": repository, "tomobasisVersion": version}
    told |= {name: of_build[name] for name in ("scalaVersion", "sparkVersion")}
    return [f"{flag}{name}={value}" for name, value in told.items()]


def test_a_gradle_project_of_its_own_compiles_against_it_and_runs(published, gradle_project):
    said = run("gradle", "--no-daemon", "--quiet", *settings(published, "-P"), "use", folder=gradle_project)
    assert "sigma 4.0 3.0" in said and re.search(r"rows 2 root [0-9a-f]{64}", said)


def test_an_sbt_project_of_its_own_compiles_against_it_and_runs(published, gradle_project, tmp_path):
    run("gradle", "--no-daemon", "--quiet", *settings(published, "-P"), "sbtLauncher", folder=gradle_project)
    (launcher,) = (gradle_project / "build/sbt").glob("sbt-launch-*.jar")
    project = tmp_path / "sbt"
    shutil.copytree(ROOT / "tests/published/sbt", project)
    made_scan(tmp_path / "scan", slices=5)
    java = ["java", "-Xmx1g", "-Dsbt.supershell=false", "-Dsbt.color=false", *settings(published, "-D")]
    said = run(*java, "-jar", launcher, f"run {tmp_path / 'scan'}", folder=project)
    assert "explained 1.0" in said and "slices 5" in said
