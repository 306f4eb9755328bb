"""The library as users of Maven repositories get it: what is published, what its native parts need, and projects that use it."""

import json
import platform
import re
import shutil
import struct
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pyspark
import pytest

from golden.cases import CASES, FIXED
from golden.record import difference, digests, recorded
from running import ROOT, made_scan

SPARK = Path(pyspark.__file__).parent
NAME = "tomobasis-spark_2.13"
# As readelf calls the architectures of the jar.
ELF = {"x86_64": "Advanced Micro Devices X86-64", "aarch64": "AArch64"}
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
    licenses = {"META-INF/LICENSE", "META-INF/LICENSES.txt", "META-INF/LINKED.txt"}
    assert {"io/tomobasis/spark/TomoBasis.class", *licenses} <= set(names[""])
    assert {"io/tomobasis/spark/TomoBasis.scala", "io/tomobasis/jni/MatrixSource.java"} <= set(names["-sources"])
    assert {"io/tomobasis/spark/TomoBasis$.html", "jni/io/tomobasis/jni/MatrixSource.html"} <= set(names["-javadoc"])
    jar = zipfile.ZipFile(folder / f"{NAME}-{version}.jar")
    linked, texts = (jar.read(f"META-INF/{name}.txt").decode() for name in ("LINKED", "LICENSES"))
    assert len(linked.splitlines()) > 50 and all(re.match(r"\S+ v\S+: \S", line) for line in linked.splitlines())
    assert all(
        words in texts for words in ("charls-sys", "libjpeg-turbo", "openjpeg-sys", "LLVM Exceptions", "Rust Project")
    )
    for line in linked.splitlines():
        name, version = re.match(r"(\S+) v(\S+?):", line).groups()
        assert f"{name} {version}" in texts
    assert str(ROOT) not in linked + texts


@pytest.fixture(scope="module")
def libraries(published, tmp_path_factory):
    """The shared libraries in the jar, by architecture."""
    repository, version = published
    jar = zipfile.ZipFile(repository / "io/tomobasis" / NAME / version / f"{NAME}-{version}.jar")
    names = {arch: f"native/linux-{arch}/libtomobasis_jni.so" for arch in ELF}
    assert sorted(name for name in jar.namelist() if name.endswith(".so")) == sorted(names.values())
    folder = tmp_path_factory.mktemp("libraries")
    return {arch: Path(jar.extract(name, folder)) for arch, name in names.items()}


@pytest.mark.parametrize("arch", ELF)
def test_the_library_of_the_jar_runs_where_glibc_is_2_17_and_has_no_symbols(libraries, arch):
    options = ["--wide", "--file-header", "--dynamic", "--version-info", "--section-headers"]
    said = run("readelf", *options, libraries[arch])
    assert f"Machine: {ELF[arch]}" in re.sub(r": +", ": ", said)
    needed = set(re.findall(r"\(NEEDED\) .*\[(\S+)\]", said))
    needed = {name for name in needed if not name.startswith("ld-linux-")}
    assert needed <= {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1"}
    versions = {tuple(map(int, version.split("."))) for version in re.findall(r"GLIBC_([0-9.]+)", said)}
    assert versions and max(versions) <= (2, 17)
    assert "GLIBCXX" not in said and ".symtab" not in said and ".debug_" not in said


def test_jpeg_is_decoded_by_vector_instructions(libraries):
    """As NASM assembles them: without it libjpeg-turbo is compiled without, and without a word."""
    # PW_F130_F054 of jidctint-sse2.asm and jidctint-avx2.asm.
    constant = struct.pack("<8h", *([10703, 4433] * 4))
    assert libraries["x86_64"].read_bytes().count(constant) > 0


def test_the_command_beside_the_jar_has_the_recorded_digests(published, tmp_path):
    program = ROOT / f"build/portable/linux-{platform.machine()}/tomobasis"
    for case in [*CASES, *FIXED]:
        folder = tmp_path / case.name
        folder.mkdir()
        found = digests(case, folder, [program, "decompose"])
        assert not difference(case.name, recorded()[case.name], found)


@pytest.mark.skipif(platform.machine() != "x86_64" or not shutil.which("qemu-aarch64"), reason="needs qemu")
def test_the_command_for_aarch64_has_a_recorded_digest(published, tmp_path):
    """Run by qemu, with the C library of Debian's cross compilers."""
    if not Path("/usr/aarch64-linux-gnu/lib").exists():
        pytest.skip("no C library for aarch64")
    emulated = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", ROOT / "build/portable/linux-aarch64/tomobasis"]
    found = digests(CASES[0], tmp_path, [*emulated, "decompose"])
    assert not difference(CASES[0].name, recorded()[CASES[0].name], found)


def test_the_job_of_the_jar_has_the_recorded_digest(published, tmp_path):
    repository, version = published
    jar = repository / "io/tomobasis" / NAME / version / f"{NAME}-{version}.jar"
    for case in (CASES[0], FIXED[0]):
        case.write(tmp_path / case.name)
        output = tmp_path / f"{case.name}.result"
        submit = ["spark-submit", "--master", "local[2]", "--class", "io.tomobasis.job.Main", jar]
        run(SPARK / "bin" / submit[0], *submit[1:], "--input", tmp_path / case.name, "--output", output, *case.options)
        manifest = json.loads((output / "manifest.json").read_text())
        assert manifest["digests"]["root"] == recorded()[case.name]["root"]


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
