"""The packed jar on other Sparks than the one that it is compiled against: each with its own jars, by Maven as the build gets ours."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from running import ROOT, start

JAR = ROOT / "build/tomobasis-spark.jar"
GRADLE = ["gradle", "--no-daemon", "--quiet"]
PROPERTIES = dict(re.findall(r"^(\w+)=(.+)$", (ROOT / "gradle.properties").read_text(), re.MULTILINE))
# Oldest first.
VERSIONS = sorted(
    [PROPERTIES["sparkVersion"], *PROPERTIES["otherSparkVersions"].split()],
    key=lambda version: [int(part) for part in version.split(".")],
)
# What spark-submit opens for Spark (org.apache.spark.launcher.JavaModuleOptions).
OPENED = """java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent
java.util.concurrent.atomic jdk.internal.ref sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar""".split()


def jars(version):
    """The jars of a Spark, downloaded once."""
    listed = subprocess.run(
        [*GRADLE, f"-PonSpark={version}", ":spark-api:sparkClasspath"], cwd=ROOT, capture_output=True, text=True
    )
    assert listed.returncode == 0, listed.stderr
    found = [Path(line) for line in listed.stdout.splitlines() if line.endswith(".jar")]
    assert any(path.name == f"spark-core_2.13-{version}.jar" for path in found), listed.stdout
    return found


def submit(classpath, *job, java=None, jar=JAR):
    """The job on a Spark of these jars, as spark-submit runs it: its main class, in a JVM with what Spark needs opened."""
    program = Path(java) / "bin/java" if java else shutil.which("java")
    opened = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENED]
    settings = ["-Xmx1g", "-Djdk.reflect.useDirectMethodHandle=false", "-Dspark.master=local[2]"]
    logging = f"-Dlog4j2.configurationFile=file:{ROOT / 'spark-job/src/main/resources/tomobasis-log4j2.properties'}"
    all_jars = os.pathsep.join(map(str, [jar, *classpath]))
    main = "io.tomobasis.job.Main"
    return start([program, *opened, *settings, logging, "-cp", all_jars, main, *job], LC_ALL="C.UTF-8")
