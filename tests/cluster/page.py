"""The commands of a page under docs/, as they stand there."""

import re

from running import ROOT


def commands(page, heading):
    """The commands of the first indented block under a heading of docs/PAGE, without comments and with their lines joined."""
    section = (ROOT / "docs" / page).read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    block = re.search(r"(?:^    .*\n|^\n)+", section[section.index("\n    ") + 1 :], re.MULTILINE)[0]
    lines = block.replace("\\\n", " ").splitlines()
    words = [line.partition(" #")[0].strip() for line in lines if not line.lstrip().startswith("#")]
    return [line for line in words if line]


def command(page, heading, start):
    """The one among them that starts so."""
    (found,) = [line for line in commands(page, heading) if line.startswith(start)]
    return found
