"""How many tests passed, failed and were skipped: read from what each runner itself reports."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    @property
    def ran(self):
        return self.passed + self.failed

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


CARGO_CRATE = re.compile(r"^\s*Running unittests \S+ \(\S*/deps/([A-Za-z0-9_]+)-[0-9a-f]+\)")
CARGO_RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;")


def from_cargo(output):
    """{crate: Count} from the output of `cargo test --workspace`, which runs one package's targets after the other.

    From its text: JUnit and JSON reports of the test harness are unstable, and cargo-nextest, which writes JUnit, runs no
    documentation tests and would be one more program to compile on each machine.

    Integration tests count for the crate whose unit tests ran last; documentation tests, which come at the end, for
    "documentation".
    """
    counts, crate = {}, None
    for line in output.splitlines():
        if started := CARGO_CRATE.match(line):
            crate = started[1]
            counts.setdefault(crate, Count())
        elif line.lstrip().startswith("Doc-tests "):
            crate = "documentation"
        elif (result := CARGO_RESULT.match(line)) and crate:
            counts[crate] = counts.get(crate, Count()) + Count(*map(int, result.groups()))
    return counts


def results_of(output):
    """Count of all results in the output of `cargo test`, whatever they are of."""
    return sum(
        (Count(*map(int, result.groups())) for result in map(CARGO_RESULT.match, output.splitlines()) if result),
        Count(),
    )


def from_junit(folder):
    """Count of all JUnit XML reports under `folder` (JUnit's console, ScalaTest and pytest write them)."""
    total = Count()
    for path in sorted(Path(folder).rglob("*.xml")):
        for suite in ET.parse(path).getroot().iter("testsuite"):
            number = {k: int(suite.get(k) or 0) for k in ("tests", "failures", "errors", "skipped")}
            failed = number["failures"] + number["errors"]
            total += Count(number["tests"] - failed - number["skipped"], failed, number["skipped"])
    return total
