"""The Python package is a workspace of its own: what it repeats of the other one is the same."""

import tomllib

from running import ROOT


def toml(name):
    return tomllib.loads((ROOT / name).read_text())


def test_its_crate_has_the_settings_of_the_workspace():
    root, python = toml("Cargo.toml"), toml("python/Cargo.toml")
    for name in ("version", "edition", "rust-version", "license", "publish"):
        assert python["package"][name] == root["workspace"]["package"][name]
    for name, wanted in python["dependencies"].items():
        if name in root["workspace"]["dependencies"] and "path" not in wanted:
            theirs = root["workspace"]["dependencies"][name]
            version = [one if isinstance(one, str) else one["version"] for one in (wanted, theirs)]
            assert version[0] == version[1], name
    assert python["profile"]["release"] == root["profile"]["release"]


def test_its_lock_file_has_the_versions_of_the_workspace():
    def versions(name):
        found = {}
        for package in toml(name)["package"]:
            found.setdefault(package["name"], set()).add(package["version"])
        return found

    root, python = versions("Cargo.lock"), versions("python/Cargo.lock")
    others = {name: python[name] for name in python.keys() & root.keys() if not python[name] <= root[name]}
    assert others == {}
