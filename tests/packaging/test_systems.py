"""What operating systems do differently has one place in the command and the Python package, so that both compile for each of them."""

import re

from running import ROOT

PLACES = {"native/pipeline/src/os", "native/cli/src/os.rs"}
# AMX is asked of Linux alone, which is where the kernel that uses it runs.
ALLOWED = {"native/linalg/src/gram/kernel/amx.rs"}
CRATES = [f"native/{name}" for name in ("cli", "pipeline", "measures", "denoise", "dicom", "linalg", "dense")] + [
    "python"
]
SYSTEM = re.compile(
    r"\b(?:os::(?:unix|windows|linux|macos|fd)|rustix|libc|windows_sys)::|\btarget_os\b|cfg!?\((?:unix|windows)\)"
)


def named(path):
    """The lines of a file that name a system, without comments and tests."""
    code = path.read_text().split("#[cfg(test)]\nmod tests {")[0]
    return [line.strip() for line in code.splitlines() if SYSTEM.search(line.split("//")[0])]


def test_only_one_place_names_systems():
    files = [path for crate in CRATES for path in (ROOT / crate / "src").rglob("*.rs")]
    found = {str(path.relative_to(ROOT)): lines for path in files if (lines := named(path))}
    places = {name for name in found if any(name.startswith(place) for place in PLACES)}
    assert len(places) > 2, "the pattern no longer finds what it should"
    assert set(found) - places == ALLOWED, found
