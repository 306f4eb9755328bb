"""Nothing is written into a finished folder of this program, by any of its commands."""

import pytest

from results import files
from running import tomobasis

COMMANDS = {
    "decompose": lambda made, place: ["decompose", "--input", made.folder, "--output", place],
    "all series": lambda made, place: ["decompose", "--series", "all", "--input", made.folder, "--output", place],
    "denoise": lambda made, place: ["denoise", "--input", made.folder, "--output", place],
    "certify": lambda made, place: ["certify", made.result, "--input", made.folder, "--output", place],
    "render": lambda made, place: ["render", made.result, "--output", place],
    "attest": lambda made, place: ["attest", made.result, "--as", "bids-prov", "--output", place],
    "reference": lambda made, place: ["reference", place],
    "man": lambda made, place: ["man", place],
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("place", ["new", "pictures/new", "pictures/../new"])
def test_no_command_writes_into_a_result(name, place, made):
    before = files(made.result)
    run = tomobasis(*COMMANDS[name](made, made.result / place))
    assert run.code == 2 and "lies in a result" in run.errors[0] and len(run.errors) == 1, run.out + run.err
    assert files(made.result) == before


@pytest.mark.parametrize("name", ["render", "man"])
def test_no_files_are_put_beside_those_of_a_result(name, made):
    before = files(made.result)
    for more in [[]] if name == "man" else [[], ["--overwrite"]]:
        run = tomobasis(*COMMANDS[name](made, made.result), *more)
        assert run.code == 2 and "lies in a result" in run.errors[0], run.out + run.err
    assert files(made.result) == before
