"""The image for arm64 that `make image-arm64` makes, all of it under qemu: Debian, the command, and Spark with the shared library."""

import os
import re
import subprocess

import pytest

from emulation.container import Container
from golden.cases import CASES
from golden.record import difference, digests, recorded
from running import ROOT

ARCHIVE = ROOT / "build/image-arm64/tomobasis.tar"
pytestmark = [
    pytest.mark.skipif(not ARCHIVE.exists(), reason="no image for arm64 here: make image-arm64 makes one"),
    pytest.mark.skipif(os.geteuid() != 0, reason="another machine's programs are run by root alone"),
]
SPARK = "--master local[1] --driver-memory 1g --class io.tomobasis.job.Main local:///opt/tomobasis/tomobasis-spark.jar"


@pytest.fixture(scope="module")
def container(tmp_path_factory):
    made = Container(ARCHIVE, tmp_path_factory.mktemp("image"), [ROOT / "tests/emulation/with-aarch64"])
    # qemu does not know the system call (PR_SET_CHILD_SUBREAPER) that `tini -s --` begins with.
    (made.root / "usr/bin/tini").write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    return made


@pytest.fixture
def shared(tmp_path):
    """A folder that the image's user may write into."""
    tmp_path.chmod(0o777)
    return tmp_path


def test_all_of_it_is_for_arm64_and_set_up(container, shared):
    assert container.architecture == "arm64"
    done = subprocess.run(container.command(shared, "uname", "-m"), capture_output=True, text=True)
    assert done.stdout == "aarch64\n", done.stderr
    packages = (container.root / "var/lib/dpkg/status").read_text()
    assert set(re.findall("^Status: (.*)$", packages, re.MULTILINE)) == {"install ok installed"}
    assert set(re.findall("^Architecture: (.*)$", packages, re.MULTILINE)) == {"arm64", "all"}
    # What the Java runtime's installers make.
    assert (container.root / "etc/ssl/certs/java/cacerts").stat().st_size > 100_000
    natives = [path.name for path in (container.root / "opt/spark/jars").glob("netty-*-linux-*.jar")]
    assert natives and all("linux-aarch_64" in name for name in natives)


def test_the_command_in_it_gives_the_recorded_digests(container, shared):
    case = CASES[0]
    found = digests(case, shared, container.command(shared, "tomobasis", "decompose"), timeout=1200)
    assert not difference(case.name, recorded()[case.name], found)


def test_spark_in_it_gives_the_recorded_digests(container, shared):
    case = CASES[0]
    driver = container.command(shared, "driver", *SPARK.split())
    at = driver.index("/opt/entrypoint.sh")
    driver.insert(at, "SPARK_DRIVER_BIND_ADDRESS=127.0.0.1")
    found = digests(case, shared, driver, timeout=3000)
    assert not difference(case.name, recorded()[case.name], found)
