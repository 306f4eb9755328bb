"""Checks the text of the Markdown pages: lines of at most 120 columns, and the usual words.

scripts/prose.py prints `file:line: what is wrong` and fails if there is any.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 120

# What is not to be written, and what to write instead.
WORDS = {
    r"\bmade (bytes|files?|head|images?|ones|phantom|scans?|series|slices?)\b": "synthetic",
    r"\b(read )?heads? only\b|\bheads of files\b": "header",
    r"\bin reach\b": "reachable",
    r"\bjoints?\b": "internal node",
    r"\bstrands?\b": "accumulator",
    r"\bstrips?\b": "band",
    r"\btied\b": "degenerate, or equal",
    r"\bneighbours\b": "consecutive, or adjacent",
    r"\bcut off\b": "truncated",
    r"\b(are|is) (passed over|said)\b": "reported, or skipped",
    r"\bof so many\b|\bWhat of\b": "a plain sentence",
}


def problems(path):
    """`(line number, problem)` for each line of a page that breaks a rule."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if len(line) > COLUMNS:
            yield number, f"{len(line)} columns, more than {COLUMNS}"
        for pattern, instead in WORDS.items():
            if found := re.search(pattern, line):
                yield number, f"`{found.group()}`: write {instead}"


def main():
    pages = subprocess.run(("git", "ls-files", "-z", "*.md"), cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    found = [
        f"{page}:{number}: {problem}"
        for page in pages.decode().split("\0")
        if page and (ROOT / page).exists()
        for number, problem in problems(ROOT / page)
    ]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
