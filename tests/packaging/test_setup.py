"""What scripts/setup.sh says on a machine that lacks something and on which it may not install it."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from running import ROOT

# Of the system, what the script itself is written with.
TOOLS = "bash cat cut dirname grep head id mkdir sha256sum sort tail touch".split()
UBUNTU = 'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n'
NOBODY = 65534
RELEASE = Path("/etc/os-release")


@pytest.fixture
def bare():
    """Runs the script, in a checkout of its own, where there is nothing but TOOLS; by a user without rights where we are root."""
    # Not in pytest's own folder, which other users may not enter.
    with tempfile.TemporaryDirectory() as made:
        yield in_checkout(Path(made))


def in_checkout(place):
    for name in ("scripts/setup.sh", "requirements.txt", "tests/requirements.txt"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place / name)
    (place / "bin").mkdir()

    def run(*more, around=(), **environment):
        for tool in [*TOOLS, *more]:
            if not (link := place / "bin" / tool).exists():
                link.symlink_to(shutil.which(tool))
        for path in [place, *place.rglob("*")]:
            if os.getuid() == 0 and not path.is_symlink():
                os.chown(path, NOBODY, NOBODY)
        user = [shutil.which("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        command = [*around, *(user if os.getuid() == 0 else ()), place / "bin/bash", place / "scripts/setup.sh"]
        environment = {"PATH": str(place / "bin"), "HOME": str(place), **environment}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL)
        assert done.returncode == 2, done.stderr
        return done.stderr

    return run


def test_without_apt_everything_that_is_missing_is_named(bare):
    said = bare()
    for name in ("a JDK, 17 to", "Gradle, 4.4.1", "C compiler", "C++ compiler", "CMake", "Python 3.11", "Rust 1.95"):
        assert name in said
    assert "https://rustup.rs" in said
    assert "apt-get" not in said


def test_on_debian_without_root_one_command_installs_all(bare):
    if not shutil.which("apt-get") or not re.search('^VERSION_ID="1[23]"', RELEASE.read_text(), re.MULTILINE):
        pytest.skip("this is not Debian 12 or 13")
    (command,) = re.findall("^    (.*)$", bare("apt-get"), re.MULTILINE)
    installed = command.partition("apt-get install --no-install-recommends ")[2].split()
    assert {"default-jdk-headless", "gradle", "g++", "cmake", "python3-venv", "rustc-web", "cargo-web"} <= set(
        installed
    )


def test_on_ubuntu_the_commands_take_rust_from_rustup(bare, tmp_path):
    if os.getuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("needs root, to show the script another /etc/os-release, and apt-get")
    release = tmp_path / "os-release"
    release.write_text(UBUNTU)
    mount = f'{shutil.which("mount")} --bind {release} {RELEASE} && exec "$@"'
    around = [shutil.which("unshare"), "--mount", shutil.which("sh"), "-c", mount, "sh"]
    if subprocess.run([*around, "true"]).returncode != 0:
        pytest.skip("no mount namespaces here")
    packages, rust = re.findall("^    (.*)$", bare("apt-get", around=around), re.MULTILINE)
    assert "default-jdk-headless gradle gcc libc6-dev g++ cmake python3 python3-venv" in packages
    assert "-web" not in packages
    assert rust.startswith("sudo apt-get install rustup && rustup default stable")


def test_a_java_home_that_is_no_fitting_jdk_is_named(bare, tmp_path):
    said = bare(JAVA_HOME="/nowhere/jdk-11")
    assert said.count("\n") == 1
    assert "JAVA_HOME is /nowhere/jdk-11" in said
