"""What the default tier does not run finds its modules all the same."""

import re
import subprocess
import sys

import pytest

from running import ROOT

FOLDERS = ("bench", "docs", "examples", "scripts", "tests")
SOURCES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
PROGRAMS = [path for path in SOURCES if re.search(r'^if __name__ == "__main__"', path.read_text(), re.MULTILINE)]

IMPORT = "import pathlib, runpy, sys; sys.path[0] = str(pathlib.Path(sys.argv[1]).parent); runpy.run_path(sys.argv[1])"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_program_finds_the_modules_of_this_repository(program):
    run = subprocess.run([sys.executable, "-c", IMPORT, program], cwd=ROOT, capture_output=True, text=True)
    ours = {f"ModuleNotFoundError: No module named '{path.stem}'" for path in SOURCES}
    assert not ours.intersection(run.stderr.splitlines()), run.stderr


@pytest.mark.parametrize("tier", ["cluster", "faults", "published", "versions"])
def test_the_tests_of_a_long_tier_can_be_collected(tier):
    collect = ["-m", "pytest", f"tests/{tier}", "--collect-only", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run([sys.executable, *collect], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
