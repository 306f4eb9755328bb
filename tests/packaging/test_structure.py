"""The order of the parts: of library and job, as the compiled classes have it (jdeps), packages call those below them; in the job and
in the crates no source files need each other in a circle."""

import re
import shutil
import subprocess
from graphlib import CycleError, TopologicalSorter

import pytest

import rust_modules
from running import ROOT

SOURCES = [ROOT / module / "src/main/scala" for module in ("spark-api", "spark-job")]
# What each package calls, lowest first.
CALLS = {
    "jni": set(),
    "figures": {"jni"},
    "io": {"jni"},
    "commit": {"io", "jni"},
    "matrix": {"figures", "io", "jni"},
    "run": {"commit", "figures", "io", "jni", "matrix"},
    "spark": {"figures", "io", "jni", "matrix", "run"},
    "job": {"io", "jni", "matrix", "run"},
}
DEFINED = re.compile(r"^(?:[\w\[\]]+ )*?(?:class|trait|object) (\w+)", re.MULTILINE)


def sources():
    """The file that defines each class of library and job."""
    defined = {}
    for folder in SOURCES:
        for path in folder.rglob("*.scala"):
            text = path.read_text()
            package = re.search(r"^package ([\w.]+)$", text, re.MULTILINE)[1]
            defined |= {f"{package}.{name}": str(path.relative_to(folder)) for name in DEFINED.findall(text)}
    return defined


@pytest.fixture(scope="module")
def calls():
    """(class, class that it needs), without the parts of one class."""
    if not shutil.which("jdeps"):
        pytest.skip("jdeps is not installed (it comes with a JDK)")
    jar = ROOT / "build/tomobasis-spark.jar"
    listed = subprocess.run(
        ["jdeps", "-verbose:class", "-filter:none", "-e", r"io\.tomobasis\..*", jar],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    pairs = re.findall(r"^ +(io\.tomobasis\.[\w.$]+) +-> (io\.tomobasis\.[\w.$]+) ", listed, re.MULTILINE)
    return {tuple(name.partition("$")[0] for name in pair) for pair in pairs}


def circle(arrows):
    """A circle of arrows, as a list; none where there is none."""
    below = {}
    for one, other in arrows:
        if one != other:
            below.setdefault(one, set()).add(other)
    try:
        TopologicalSorter(below).prepare()
    except CycleError as found:
        return found.args[1]
    return None


def test_no_two_source_files_of_library_and_job_need_each_other(calls):
    files = sources()
    arrows = {(files[one], files[other]) for one, other in calls if {one, other} <= files.keys()}
    assert ("io/tomobasis/job/Program.scala", "io/tomobasis/job/DecomposeJob.scala") in arrows
    assert len({file for arrow in arrows for file in arrow}) > len(set(files.values())) / 2
    assert circle(arrows) is None


def test_packages_call_the_packages_below_them_that_the_table_names_and_no_others(calls):
    arrows = {tuple(name.split(".")[2] for name in pair) for pair in calls}
    found = {package: {other for one, other in arrows if one == package != other} for package in CALLS}
    assert {package for arrow in arrows for package in arrow} == CALLS.keys()
    assert found == CALLS
    below = list(CALLS)
    assert all(below.index(other) < below.index(one) for one in CALLS for other in CALLS[one])


@pytest.mark.parametrize(
    ("crate", "known"),
    [
        ("pipeline", [(("result", "seal"), ("result", "files")), (("result", "staging"), ("error",))]),
        ("dicom", [(("series", "notes"), ("series", "group")), (("pixels", "padding"), ("plan",))]),
        ("denoise", [(("window",), ("whitening",)), (("noise", "estimate"), ("volume",))]),
        ("linalg", [(("certified", "check", "round"), ("rounding",)), (("project",), ("center",))]),
    ],
)
def test_no_two_modules_of_a_crate_need_each_other(crate, known):
    arrows = rust_modules.arrows(ROOT / "native" / crate / "src")
    assert arrows.issuperset(known)
    assert circle(arrows) is None
