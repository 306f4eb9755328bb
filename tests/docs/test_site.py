"""The site: it is built strictly, so that a broken link fails; its pages ask no network; no page is missing in it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pages import pages
from running import ROOT

# Elements that a web browser loads without being asked.
LOADS = re.compile(
    r"<(?:script|img|iframe|source|link(?=[^>]*rel=\"?(?:stylesheet|preload|icon)))[^>]*?(?:src|href)=\"?(\S+?)[\">\s]"
)
# What `site.py` reads, and what may lie beside it in a copy of the repository.
TOP = ("docs", "examples", "native", "scripts", "tests", "k8s", "bench", "mkdocs.yml")


@pytest.fixture(scope="session")
def mkdocs(tmp_path_factory):
    """The program, of `make docs` if that has set it up, else in an environment of its own."""
    ready, requirements = ROOT / ".venv-docs/ready", ROOT / "docs/requirements.txt"
    if ready.exists() and ready.stat().st_mtime >= requirements.stat().st_mtime:
        return ROOT / ".venv-docs/bin/mkdocs"
    base = tmp_path_factory.mktemp("mkdocs")
    subprocess.run([sys.executable, "-m", "venv", base], check=True)
    pip = [base / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", requirements], check=True)
    return base / "bin/mkdocs"


def build(mkdocs, root, folder):
    command = [mkdocs, "build", "--strict", "--config-file", root / "mkdocs.yml", "--site-dir", folder]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def site(mkdocs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = build(mkdocs, ROOT, folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_of_the_documentation_is_in_it(site):
    made = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    for page in pages():
        if page.startswith(("docs/", "examples/")) or page == "README.md":
            name = page.removesuffix(".md") if not page.endswith("README.md") else page.replace("README.md", "index")
            assert f"{name}.html" in made, page
    assert (site / "docs/reference/manifest.schema.json").read_bytes() == (
        ROOT / "docs/reference/manifest.schema.json"
    ).read_bytes()


def test_its_pages_load_nothing_from_elsewhere(site):
    seen = 0
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        text = path.read_text()
        found = LOADS.findall(text) if path.suffix == ".html" else re.findall(r"url\(\"?(\S+?)\"?\)|@import", text)
        for target in found:
            assert not re.match(r"(https?:)?//", target), f"{path.name}: {target}"
            seen += 1
            if path.suffix == ".html" and path.name != "404.html" and not target.startswith("data:"):
                assert (path.parent / target.partition("?")[0]).exists(), f"{path.name}: {target}"
    assert seen > 100


def test_every_link_within_it_leads_to_a_file_and_a_heading(site):
    """MkDocs checks Markdown; this looks at what came out."""
    checked = 0
    ids = {}
    for path in site.rglob("*.html"):
        if path.name == "404.html":
            continue
        body = path.read_text().partition("<article")[2].partition("</article>")[0]
        for target in re.findall(r"<a [^>]*?href=\"([^\"]+)\"", body):
            if re.match(r"\w+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (path.parent / name).resolve() if name else path.resolve()
            assert file.is_file(), f"{path.relative_to(site)}: {target}"
            if anchor and file.suffix == ".html":
                if file not in ids:
                    ids[file] = set(re.findall(r"\bid=\"([^\"]+)\"", file.read_text()))
                assert anchor in ids[file], f"{path.relative_to(site)}: {target}"
            checked += 1
    assert checked > 200


@pytest.mark.parametrize(
    ("page", "text", "named"),
    [
        ("docs/tutorial.md", "[gone](gone.md)", "gone.md"),
        ("docs/tutorial.md", "[gone](format.md#gone)", "#gone"),
        ("docs/how-to/archive.md", "[gone](../../native/gone.rs)", "gone.rs"),
        ("docs/forgotten.md", "# No entry in the navigation", "forgotten.md"),
    ],
)
def test_a_broken_link_and_a_forgotten_page_are_errors(mkdocs, page, text, named, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    ignore = shutil.ignore_patterns("target", "build", "__pycache__", "work", "*.so")
    for name in (*TOP, *(path.name for path in Path(ROOT).glob("*.md")), "CITATION.cff", "LICENSE"):
        source = ROOT / name
        if source.is_dir() and name in ("docs", "scripts"):
            shutil.copytree(source, root / name, ignore=ignore)
        elif source.is_dir():
            linked(source, root / name)
        else:
            shutil.copy(source, root / name)
    path = root / page
    path.write_text((path.read_text() if path.exists() else "") + f"\n{text}\n")
    done = build(mkdocs, root, tmp_path / "site")
    assert done.returncode != 0
    assert named in done.stderr


def linked(source, place):
    """The Markdown files of a folder, and the files beside them, without what is built."""
    for path in source.rglob("*"):
        if path.is_file() and not {"target", "build", "__pycache__", "work"} & set(path.relative_to(source).parts):
            copied = place / path.relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copied)
