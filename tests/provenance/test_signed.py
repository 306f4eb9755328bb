"""Signing as docs/sharing.md has it: its commands, run as they stand there with a key made for this, on a result folder."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from results import flip_last_bit
from running import ROOT, decompose

PAGE = (ROOT / "docs/sharing.md").read_text().partition("## Signing")[2].partition("\n## ")[0]


def commands():
    """The indented lines of the section, in order."""
    return re.findall(r"^    (\S.*)$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The folder of the programs of a new Python environment with what the page says to install, of the versions that are pinned."""
    base = tmp_path_factory.mktemp("signing")
    subprocess.run([sys.executable, "-m", "venv", base], check=True)
    pip = [base / "bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "-r", ROOT / "tests/provenance/signing.txt"], check=True)
    return base / "bin"


def shell(line, folder, programs):
    environment = {**os.environ, "PATH": f"{programs}:{ROOT / 'bin'}:{os.environ['PATH']}"}
    return subprocess.run(["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def signed(made, tmp_path, programs):
    run = decompose(
        "--input", made.folder, "--output", tmp_path / "RESULT", "--emit", "parquet,dicom", "--composite", "3"
    )
    assert run.code == 0, run.err
    install, *made_keys, sign, verify = commands()
    assert install.startswith("pip install ") and " sign " in sign and " verify " in verify
    for line in [*made_keys, sign]:
        done = shell(line, tmp_path, programs)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    return tmp_path, verify


def test_what_was_signed_is_verified_and_what_was_changed_is_not(made, signed, programs):
    folder, verify = signed
    before = shutil.copytree(folder / "RESULT", folder / "kept")
    done = shell(verify, folder, programs)
    assert done.returncode == 0, done.stdout + done.stderr
    assert before.is_dir()
    # The signature lies beside the result, which is still one.
    done = shell(f"tomobasis verify RESULT --input '{made.folder}'", folder, programs)
    assert done.returncode == 0, done.stderr
    for change in ("a bit", "a file more", "a file of git's", "a file less", "another manifest"):
        shutil.rmtree(folder / "RESULT")
        shutil.copytree(folder / "kept", folder / "RESULT")
        if change == "a bit":
            flip_last_bit(folder / "RESULT/weights.parquet", "weights")
        elif change == "a file more":
            (folder / "RESULT/more").write_text("more")
        elif change == "a file of git's":
            (folder / "RESULT/.gitignore").write_text("more")
        elif change == "a file less":
            next((folder / "RESULT/dicom/k=3").iterdir()).unlink()
        else:
            manifest = folder / "RESULT/manifest.json"
            manifest.write_text(manifest.read_text() + " ")
        done = shell(verify, folder, programs)
        assert done.returncode != 0, change


def test_another_key_does_not_verify(signed, programs):
    folder, verify = signed
    made_keys = [line for line in commands() if line.startswith("openssl")]
    for line in made_keys:
        assert shell(line, folder, programs).returncode == 0
    assert shell(verify, folder, programs).returncode != 0
