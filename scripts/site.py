"""The hook of mkdocs.yml: pages are the repository's Markdown files, at their own paths, with the files that they link to.

MkDocs knows files of one folder only. Here it is given the pages of the navigation under their paths in the repository, and beside them,
as plain files, whatever else they link to (programs, notebooks, manifests), so that strict mode checks these links too.
"""

import re
from pathlib import Path

from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?:\]\(|^\[[^\]]+\]:\s+)<?([^)#>\s]+)", re.MULTILINE)
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def pages(nav):
    """Paths of all pages of a navigation."""
    for entry in nav:
        if isinstance(entry, str):
            yield entry
        else:
            for below in entry.values():
                yield from [below] if isinstance(below, str) else pages(below)


def linked(path):
    """Files of the repository that a page links to, by their paths in it."""
    for target in LINK.findall(CODE.sub("", (ROOT / path).read_text())):
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (ROOT / path).parent.joinpath(target).resolve()
        if file.is_file() and file.is_relative_to(ROOT):
            yield file.relative_to(ROOT).as_posix()


def on_files(files, config):
    """Every page of the navigation, every page below docs/ (so that a forgotten one is an error), and whatever they link to."""
    named = {page for page in pages(config["nav"]) if (ROOT / page).is_file()}
    named |= {file.relative_to(ROOT).as_posix() for file in (ROOT / "docs").rglob("*.md")}
    found, left = set(), set(named)
    while left:
        path = left.pop()
        found.add(path)
        left |= set(linked(path) if path.endswith(".md") else ()) - found
    inclusion = {True: InclusionLevel.UNDEFINED, False: InclusionLevel.NOT_IN_NAV}
    ours = [
        File.generated(config, path, abs_src_path=str(ROOT / path), inclusion=inclusion[path in named])
        for path in sorted(found)
    ]
    theme = [file for file in files if file.src_dir != config["docs_dir"]]
    return Files([*ours, *theme])
