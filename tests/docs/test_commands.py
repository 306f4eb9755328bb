"""Every command on every page: it runs, as it stands there, on a small scan; or ELSEWHERE says what runs it instead.

Each block starts in a folder that looks like a built checkout with a scan in it, and with the results that pages speak of; the blocks
of a page that is to be followed from top to bottom share one.
"""

import os
import re
import shlex
import shutil
import subprocess
import zipfile
from itertools import pairwise

import numpy as np
import pytest

from pages import blocks, exists, make_targets, pages, shell_blocks
from running import ROOT, decompose, made_scan, tomobasis

# What cannot run here, by how it begins, and the test or the target of make that runs it instead.
ELSEWHERE = {
    "bin/tomobasis-submit --master spark://": "tests/spark/test_standalone.py",
    "bin/tomobasis-submit --master k8s://": "tests/k8s/test_submit.py",
    "bin/tomobasis-submit --kubernetes": "tests/cluster/test_walkthrough.py",
    "bin/tomobasis-submit -- --denoise": "tests/denoise/test_denoise_job.py",
    "bin/tomobasis-submit -- --input archive": "tests/spark/test_archive_job.py",
    "bin/tomobasis-submit --status": "tests/spark/test_archive_job.py",
    "bin/tomobasis-submit -- --input scans/head": "tests/reproducibility/test_same_bits.py",
    "docker": "tests/k8s/test_dockerfile.py",
    "helm": "tests/cluster/spark_operator.py",
    "kubectl": "tests/cluster/test_walkthrough.py",
    "minikube": "tests/cluster/test_walkthrough.py",
    "model_signing": "tests/provenance/test_signed.py",
    "openssl": "tests/provenance/test_signed.py",
    "pip install ./python": "scripts/wheel.sh",
    "pip install model-signing": "tests/provenance/test_signed.py",
    "python3 -m venv env": "tests/reproducibility/test_certify.py",
    "env/bin/python": "tests/reproducibility/test_certify.py",
    "spark-shell": "tests/spark/test_library.py",
    "xdg-open": "tests/report/test_report_browser.py",
    # Its output is no folder of ours.
    "tomobasis decompose --threads 1 --input demo/series --output /dev/shm/result": "bench/stages.py",
    # A head of 108 slices of 256 x 256: the same steps on a smaller one.
    "python3 examples/ct_series/make_ct_series.py scan --source cranium": "tests/output/test_2020_pipeline.py",
    # What developers run: here only that the targets, packages and files which they name are there.
    ".venv/bin/python -m pytest": "make test",
    ".venv/bin/python bench/": "make bench",
    ".venv-bench/bin/python bench/": "make bench-denoise",
    ".venv/bin/python tests/run.py": "make test",
    "TOMOBASIS_FUZZ_SECONDS=600 cargo": "make test",
    "cargo": "make test",
    "gradle": "make test",
    "make": "make test",
}
# Exit codes that are the point: the values differ by more than is allowed.
CODES = {"tomobasis compare scans/head 'result/dicom/k=50' --tolerance 5 --json": 4}
# Indented blocks that are no commands, by page and first line.
NO_COMMANDS = {("docs/security.md", "apiVersion: networking.k8s.io/v1")}
# Pages to be followed from top to bottom, from nothing but a built checkout.
FOLLOWED = {"docs/tutorial.md"}
OURS = ("tomobasis", "bin/tomobasis")
CHECKOUT = ("bin", "docs", "examples", "native", "scripts", "tests", ".venv")


def commands():
    """(page, command) of all pages."""
    for page in pages():
        for block in shell_blocks(page):
            if (page, block.text.splitlines()[0]) not in NO_COMMANDS:
                yield from ((page, command) for command in block.commands)


def elsewhere(command):
    """The beginning in ELSEWHERE that a command has, if any."""
    fitting = [start for start in ELSEWHERE if f"{command} ".startswith(start if start[-1] == "/" else f"{start} ")]
    return max(fitting, key=len, default=None)


@pytest.fixture(scope="session")
def stage(tmp_path_factory):
    """A scan of 250 slices of 32 x 32, its results, and the other inputs that pages name."""
    base = tmp_path_factory.mktemp("stage")
    scan = base / "scan"
    made_scan(scan, slices=250, rows=32, columns=32)
    made_scan(base / "archive/a", slices=40, rows=32, columns=32, seed=2)
    (base / "archive/b").symlink_to(scan)
    with zipfile.ZipFile(base / "scans.zip", "w") as archive:
        for path in sorted(scan.iterdir()):
            archive.write(path, path.name)
    np.save(base / "matrix.npy", np.arange(600, dtype=np.int16).reshape(60, 10) % 17)
    shutil.copy(base / "matrix.npy", base / "a.npy")
    for run in (
        tomobasis("reference", base / "matrices"),
        decompose("--input", scan, "--output", base / "other-result"),
        decompose("--input", base / "archive", "--output", base / "results", "--series", "all", "--rank", "2"),
        decompose("--input", scan, "--output", base / "result", "--emit", "parquet,png,report,dicom"),
    ):
        assert run.code == 0, run.err
    for name in ("factors.npz", "mine.npz", "other-programs.npz"):
        shutil.copy(base / "matrices/random.npz", base / name)
    return base


def folder(stage, place, followed):
    """A new folder that looks like a checkout, with what is on the stage unless the page makes it."""
    place.mkdir()
    for name in CHECKOUT:
        (place / name).symlink_to(ROOT / name)
    for home in (".local/share/bash-completion/completions", ".zfunc", ".config/fish/completions"):
        (place / "home" / home).mkdir(parents=True)
    if followed:
        return place
    for name in ("demo/series", "scans/head", "scan", "SCAN", "low-dose", "full-dose"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).symlink_to(stage / "scan")
    for name in (
        "archive",
        "results",
        "scans.zip",
        "a.npy",
        "matrix.npy",
        "factors.npz",
        "mine.npz",
        "other-programs.npz",
    ):
        (place / name).symlink_to(stage / name)
    shutil.copytree(stage / "other-result", place / "other-result")
    for above in ("", "study", "dataset"):
        for name in ("result", "RESULT"):
            shutil.copytree(stage / "result", place / above / name)
    return place


def run_there(command, place):
    """Runs a command in `place`; outputs of earlier lines give way, since the lines of a block are alternatives."""
    made = re.findall(r"--output (\S+)", command) + re.findall(r"tomobasis reference (\S+)", command)
    for name in made:
        if (place / name).is_symlink():
            (place / name).unlink()
        elif (place / name).is_dir() and "--overwrite" not in command:
            shutil.rmtree(place / name)
    path = f"{ROOT / '.venv/bin'}:{ROOT / 'bin'}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(place / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    words = {"cwd": place, "env": environment, "capture_output": True, "text": True, "stdin": subprocess.DEVNULL}
    return subprocess.run(["bash", "-euc", command], timeout=300, check=False, **words)


@pytest.mark.parametrize("page", [page for page in pages() if shell_blocks(page)])
def test_the_commands_of_a_page_run_as_they_stand_there(page, stage, tmp_path):
    followed = page in FOLLOWED
    place = folder(stage, tmp_path / "followed", True) if followed else None
    ran = 0
    for index, block in enumerate(shell_blocks(page)):
        if (page, block.text.splitlines()[0]) in NO_COMMANDS:
            continue
        here = [command for command in block.commands if not elsewhere(command)]
        if not here:
            continue
        there = place or folder(stage, tmp_path / str(index), False)
        for command in here:
            done = run_there(command, there)
            said = f"{page}:{block.line}: {command}\n{done.stdout[-500:]}{done.stderr[-2000:]}"
            assert done.returncode == CODES.get(command, 0), said
            ran += 1
    if ran == 0:
        pytest.skip("all its commands run elsewhere")


def test_the_tutorial_runs_from_a_built_checkout_to_a_denoised_scan():
    wanted = [command for page, command in commands() if page == "docs/tutorial.md"]
    assert [command for command in wanted if elsewhere(command)] == ["make build", "xdg-open result/report.html"]
    assert len(wanted) > 8


def test_what_runs_elsewhere_is_on_some_page_and_what_runs_it_is_there():
    used = {elsewhere(command) for _, command in commands()}
    assert set(ELSEWHERE) - used == set()
    for start, instead in ELSEWHERE.items():
        target = instead.removeprefix("make ")
        assert target in make_targets() if instead.startswith("make ") else exists(instead), start


def test_targets_packages_and_files_that_developers_commands_name_are_there():
    targets, seen = make_targets(), 0
    packages = set(re.findall(r'^name = "(.*)"$', (ROOT / "Cargo.lock").read_text(), re.MULTILINE))
    kinds = {"--example": "examples", "--bench": "benches", "--test": "tests"}
    for page, command in commands():
        words = shlex.split(command)
        for option, value in pairwise(words):
            if "cargo" in words and option == "-p":
                assert value in packages, f"{page}: {command}"
            if "cargo" in words and option in kinds:
                found = [*ROOT.glob(f"native/*/{kinds[option]}/{value}.rs")]
                found += [*ROOT.glob(f"native/*/{kinds[option]}/{value}/main.rs")]
                assert found, f"{page}: {command}"
            if option == "make":
                assert value in targets, f"{page}: {command}"
            seen += 1
        for word in words:
            if re.fullmatch(r"(bench|tests|scripts|k8s|examples)/[\w./-]+", word):
                assert exists(word), f"{page}: {command}"
    assert seen > 100


def job_options():
    """The options of our program in commands that run elsewhere, as words of the command that takes them here."""
    for page, command in commands():
        if elsewhere(command) and command.startswith("bin/tomobasis-submit") and " -- " in command:
            words = shlex.split(command.split(" -- ", 1)[1])
            kind = "denoise" if "--denoise" in words else "decompose"
            yield page, [kind, *(word for word in words if word != "--denoise")]


def test_options_in_commands_that_run_elsewhere_are_known(tmp_path):
    found = list(job_options())
    assert len(found) > 5
    for page, words in found:
        inputs = [index + 1 for index, word in enumerate(words) if word in ("--input", "--output")]
        words = [str(tmp_path / "none" / str(i)) if i in inputs else word for i, word in enumerate(words)]
        run = tomobasis(*words)
        assert run.code == 3, f"{page}: {words}: {run.err}"


def test_blocks_are_found_with_and_without_fences_and_in_lists(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(
        "text\n\n    one \\\n      more  # why\n    # a comment\n\n    two\n\n```sh\nthree\n```\n\n```python\nx\n```\n\n"
        "- item\n\n      four\n\n- item\n    not code\n\ntext\n    not code either\n"
    )
    found = [(block.language, block.commands) for block in blocks(str(page))]
    assert found == [("sh", ["one    more", "two"]), ("sh", ["three"]), ("python", ["x"]), ("sh", ["four"])]
