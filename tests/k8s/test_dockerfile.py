"""The two ways to make the image, k8s/image/Dockerfile and k8s/image/build.sh, say the same."""

import json
import re
import shlex
import subprocess
import tomllib
from glob import glob
from itertools import pairwise

from running import ROOT

IMAGE = ROOT / "k8s/image"
VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]


def lines(path):
    """The lines of a script or Dockerfile, continued ones joined, without comments."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE)
    return [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def stages():
    """Of each stage of the Dockerfile, its instructions: (name, rest), the variable VERSION filled in."""
    found = []
    for line in lines(IMAGE / "Dockerfile"):
        name, rest = line.split(maxsplit=1)
        if name == "FROM":
            found.append([])
        found[-1].append((name, rest.replace("$VERSION", VERSION)))
    return found


def of_image(name):
    """What the last stage says under an instruction's name; it must say it once."""
    (rest,) = (rest for instruction, rest in stages()[-1] if instruction == name)
    return rest


def command(program):
    """The words of a command of build.sh, the variable `version` filled in."""
    (line,) = (line for line in lines(IMAGE / "build.sh") if f" {program} " in f"{line} " and "--" in line)
    words = shlex.split(line.replace("$version", VERSION).partition(" > ")[0])
    return words[words.index(program) + 1 :]


def option(words, name):
    """The values of an option, given as `--name value` or `--name=value`."""
    after = [value for word, value in pairwise(words) if word == name]
    return after + [word.removeprefix(f"{name}=") for word in words if word.startswith(f"{name}=")]


def test_both_ways_take_the_same_release_and_packages():
    debian = command("mmdebstrap")
    assert of_image("FROM") == f"debian:{debian[-2]}-slim"
    installed = re.search(r"apt-get install -y --no-install-recommends ([^&]+)", of_image("RUN")).group(1)
    assert installed.split() == option(debian, "--include")[0].split(",")


def test_both_ways_make_the_same_user_and_take_the_same_away():
    steps = [step.strip() for step in of_image("RUN").split("&&")]
    hooks = [hook.replace("$1", "") for hook in option(command("mmdebstrap"), "--customize-hook")]
    unquoted = [[re.sub('"', "", text) for text in texts] for texts in (steps, hooks)]
    for words in ("ct.sym", "chmod a-s", "/etc/group", "/etc/passwd"):
        ours, theirs = ([text for text in texts if words in text] for texts in unquoted)
        assert len(ours) == len(theirs) == 1, words
        # Only the root folder is named differently.
        assert ours[0].replace("find / ", "find  ") == theirs[0]


def test_both_ways_give_the_same_run_settings_and_labels():
    archive = command("k8s/image/oci.py")
    labels = shlex.split(of_image("LABEL"))
    assert labels == option(archive, "--label")
    assert f"org.opencontainers.image.version={VERSION}" in labels
    assert shlex.split(of_image("ENV")) == option(archive, "--env")
    assert [of_image("WORKDIR")] == option(archive, "--workdir")
    assert [of_image("USER")] == option(archive, "--user")
    assert json.loads(of_image("ENTRYPOINT")) == option(archive, "--entrypoint")


def test_the_dockerfile_states_no_version_and_takes_only_that_of_the_checkout():
    assert of_image("ARG") == "VERSION"
    (check,) = [rest for name, rest in stages()[0] if name == "RUN" and "VERSION" in rest]
    assert subprocess.run(["sh", "-c", check], cwd=ROOT, capture_output=True).returncode == 0
    other = subprocess.run(["sh", "-c", check.replace(VERSION, "9.8.7")], cwd=ROOT, capture_output=True, text=True)
    assert (other.returncode, other.stderr.count("\n")) == (1, 1)
    assert "--build-arg VERSION=" in other.stderr


def test_what_the_dockerfile_copies_is_there():
    for name, rest in stages()[0]:
        if name == "COPY":
            for source in rest.split()[:-1]:
                assert glob(str(ROOT / source)), source
