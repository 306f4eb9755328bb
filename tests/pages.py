"""The pages of the documentation, and the blocks of code on them."""

import re
from dataclasses import dataclass
from pathlib import Path

from running import ROOT

SHELL = {"sh", "bash", "console", "shell"}
FENCE = re.compile(r"( *)```(\S*)")
ITEM = re.compile(r"( *)(?:[-*]|\d+\.) +")


@dataclass(frozen=True)
class Block:
    """A block of code: its page, its first line's number, its language ("sh" if it is indented), its text without the indent."""

    page: str
    line: int
    language: str
    text: str

    @property
    def commands(self):
        """Its lines without comments; those that a backslash continues are one."""
        lines = self.text.replace("\\\n", " ").splitlines()
        words = [line.partition(" #")[0].strip() for line in lines if not line.lstrip().startswith("#")]
        return [line.removeprefix("$ ") for line in words if line]


def pages():
    """Paths of all pages in the repository, relative to it."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "examples/README.md"]
    found += [ROOT / "native/cli/README.md", ROOT / "tests/README.md"]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def blocks(page):
    """The blocks of a page, fenced and indented ones."""
    lines = (ROOT / page).read_text().splitlines()
    return list(_blocks(page, lines))


def _blocks(page, lines):
    number = 0
    listed = 0  # columns by which the text of an open list item is indented
    while number < len(lines):
        line = lines[number]
        if fence := FENCE.match(line):
            end = next(i for i in range(number + 1, len(lines)) if lines[i].strip() == "```")
            inside = [inner[len(fence[1]) :] for inner in lines[number + 1 : end]]
            yield Block(page, number + 2, fence[2], "\n".join(inside))
            number = end + 1
            continue
        if item := ITEM.match(line):
            listed = len(item[0])
        elif line and not line.startswith(" "):
            listed = 0
        indent = " " * (listed + 4)
        if line.startswith(indent) and not lines[number - 1]:
            end = number
            while end < len(lines) and (lines[end].startswith(indent) or not lines[end]):
                end += 1
            inside = [inner[len(indent) :] for inner in lines[number:end]]
            yield Block(page, number + 1, "sh", "\n".join(inside).rstrip())
            number = end
            continue
        number += 1


def shell_blocks(page):
    """Those with commands."""
    return [block for block in blocks(page) if block.language in SHELL]


def make_targets():
    """The targets of the Makefile that people call."""
    return set(re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def exists(path):
    return Path(ROOT / path).exists()
