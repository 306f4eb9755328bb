"""Every place that carries the product's version carries that of Cargo.toml."""

import shutil
import subprocess
import sys

import pytest

from running import ROOT

CHECK = ROOT / "scripts/check_version.py"


def run(script):
    return subprocess.run([sys.executable, script], capture_output=True, text=True)


def test_all_places_carry_one_version():
    checked = run(CHECK)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


@pytest.mark.parametrize("changed", ["Cargo.toml", "CITATION.cff", "k8s/image/Dockerfile", "k8s/values/values.yaml"])
def test_a_place_with_another_version_is_named(tmp_path, changed):
    files = ["Cargo.toml", "CITATION.cff", "k8s/image/Dockerfile", "k8s/values/values.yaml", "scripts/check_version.py"]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    version = run(tmp_path / "scripts/check_version.py").stdout.strip()
    place = tmp_path / changed
    place.write_text(place.read_text().replace(version, "9.8.7"))
    checked = run(tmp_path / "scripts/check_version.py")
    assert checked.returncode == 1
    assert (changed if changed != "Cargo.toml" else "but Cargo.toml has 9.8.7") in checked.stdout
