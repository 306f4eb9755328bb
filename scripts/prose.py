"""Checks the language: lines of Markdown have at most 120 columns, and pages, comments, messages and names use the usual words.

scripts/prose.py [FILE..] prints `file:line: what is wrong` and fails if there is any.
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
    r"\b(read )?heads? only\b|\bheads of (files|its files)\b": "header",
    r"\bin reach\b|\bout of reach\b": "reachable",
    r"\bjoints\b": "internal nodes",
    r"\bstrands?\b": "accumulator",
    r"(?<!\.)\bstrips?\b": "band",
    r"\btied\b": "degenerate, or equal",
    r"\bneighbours?\b": "consecutive, or adjacent",
    r"\bcut (off|short)\b": "truncated",
    r"\b(are|is) said\b|\bpass(ed)? over (it|them|or)\b|\b(are|is) passed over\b": "reported, or skipped",
    r"\b\w*([Bb]ehaviour|[Cc]olour|[Cc]entred?\b|[Nn]ormalis|[Rr]ecognis|[Hh]onour|[Ss]erialis|[Ss]ynchronis|[Oo]ptimis|[Ii]nitialis"
    r"|[Vv]ectoris|[Mm]illimetre|[Ll]icence|[Gg]rey\b|[Tt]owards\b|[Aa]fterwards\b)": "the American spelling",
    r"\bof so many\b|\b[Ww]hat of\b|\blinks? to nothing\b": "a plain sentence",
}

# Beside Markdown, the sources in these languages.
SOURCES = ("*.rs", "*.scala", "*.java", "*.py", "*.sh", "*.yaml", "*.toml", "*.gradle", "*.ipynb")
THIS = Path("scripts/prose.py")


def problems(path):
    """`(line number, problem)` for each line of a file that breaks a rule."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if path.suffix == ".md" and len(line) > COLUMNS:
            yield number, f"{len(line)} columns, more than {COLUMNS}"
        for pattern, instead in WORDS.items():
            if found := re.search(pattern, line):
                yield number, f"`{found.group()}`: write {instead}"


def main():
    command = ("git", "ls-files", "-z", "--", *(sys.argv[1:] or ("*.md", *SOURCES)))
    files = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
    found = [
        f"{file}:{number}: {problem}"
        for file in files
        if file and Path(file) != THIS and (ROOT / file).exists()
        for number, problem in problems(ROOT / file)
    ]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
