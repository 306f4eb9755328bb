"""Records the digests of all cases in digests.json (`make golden`), and says what changed.

A change of the bits of a certified result is a bug fix or wrong: docs/format.md defines them, tests/numerics/test_against_oracle.py decides.
Those of class `fixed` may change with a version that says so.
"""

import json
import tempfile
from pathlib import Path

from golden.cases import CASES, FIXED
from running import ROOT, start

FILE = Path(__file__).with_name("digests.json")


def digests(case, folder, command=(ROOT / "bin/tomobasis", "decompose"), **environment):
    """The digests of one case, decomposed by `command` in `folder`, as the manifest has them."""
    case.write(folder / "scan")
    where = ("--input", folder / "scan", "--output", folder / "result")
    run = start([*command, *where, "--emit", "parquet", *case.options], **environment)
    if run.code != 0:
        raise RuntimeError(f"{case.name}: {run.err}")
    manifest = json.loads((folder / "result/manifest.json").read_text())
    found = manifest["digests"]
    return {**{name: found[name] for name in ("pixels", "s", "V")}, "U": found["U"]["root"], "root": found["root"]}


def recorded():
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def difference(name, expected, found):
    """Lines that say which digests of a case differ; the first one tells where to look."""
    if expected is None:
        return [f"{name}: not recorded yet"]
    lines = [
        f"  {digest:6}  recorded {expected.get(digest, 'nothing')[:16]}  found {value[:16]}"
        for digest, value in found.items()
        if expected.get(digest) != value
    ]
    where = {"pixels": "the synthetic scan is another one, or pixels are read otherwise", "s": "the singular values"}
    first = next((d for d in found if expected.get(d) != found[d]), None)
    return [f"{name}: first to differ: {first} ({where.get(first, 'what is made of s')})", *lines] if lines else []


def main():
    before, after = recorded(), {}
    for case in [*CASES, *FIXED]:
        with tempfile.TemporaryDirectory() as folder:
            after[case.name] = digests(case, Path(folder))
        print("\n".join(difference(case.name, before.get(case.name), after[case.name]) or [f"{case.name}: same"]))
    FILE.write_text(json.dumps(after, indent=2) + "\n")
    print(f"{len(after)} cases in {FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
