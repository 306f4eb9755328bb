"""Folders of denoised series, compared."""

import json


def files(folder):
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def same(made, expected):
    """The folders hold the same bytes, but for what manifest and report say of how it was run; returns both sections `run`."""
    ours, theirs = files(made), files(expected)
    assert ours.keys() == theirs.keys()
    differing = {name for name in ours if ours[name].read_bytes() != theirs[name].read_bytes()}
    assert differing <= {"manifest.json", "report.html"}
    manifests = [manifest(folder) for folder in (made, expected)]
    runs = [one.pop("run") for one in manifests]
    assert manifests[0] == manifests[1]
    # The report: all before what it says of the run.
    pages = [(folder / "report.html").read_text().split("<h2>How it was run</h2>")[0] for folder in (made, expected)]
    assert pages[0] == pages[1]
    return runs
