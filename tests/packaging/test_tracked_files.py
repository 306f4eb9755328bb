"""What the repository tracks: sources, not what is built or downloaded."""

import subprocess

import pytest

from running import ROOT

# Pictures of the documentation are the largest.
BYTES = 300_000
BUILT = {".a", ".class", ".egg", ".exe", ".gz", ".jar", ".o", ".pyc", ".so", ".tar", ".whl", ".xz", ".zip"}


def test_no_file_is_built_or_downloaded():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("this is no git checkout")
    tracked = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert len(tracked) > 100
    files = [path for path in tracked if path.is_file()]
    assert not [path.relative_to(ROOT) for path in files if path.suffix in BUILT or path.stat().st_size > BYTES]
