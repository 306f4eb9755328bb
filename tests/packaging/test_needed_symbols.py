"""The shared library in the jar runs with the C library of older systems: which symbols it needs, as readelf sees them."""

import re
import shutil
import subprocess
import zipfile

import pytest

from running import ROOT

# RHEL 8 has 2.28, Amazon Linux 2 has 2.26.
OLDEST = (2, 18)
LIBRARIES = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "libgcc_s.so.1"}


def readelf(option, path):
    if not shutil.which("readelf"):
        pytest.skip("readelf is not installed (it comes with binutils)")
    return subprocess.run(["readelf", "-W", option, path], capture_output=True, text=True, check=True).stdout


def test_the_library_needs_no_younger_glibc_than_2_18(tmp_path):
    with zipfile.ZipFile(ROOT / "build/tomobasis-spark.jar") as jar:
        (name,) = [name for name in jar.namelist() if name.endswith("libtomobasis_jni.so")]
        library = jar.extract(name, tmp_path)
    needed = re.findall(r"Name: (\w+)_([\d.]+)  ", readelf("--version-info", library))
    versions = {tuple(map(int, version.split("."))) for what, version in needed if what == "GLIBC"}
    assert versions and max(versions) <= OLDEST
    assert {what for what, _ in needed} == {"GLIBC", "GCC"}, "no GLIBCXX: C++ is linked in"
    libraries = set(re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("--dynamic", library)))
    assert {name for name in libraries if not name.startswith("ld-linux-")} <= LIBRARIES
