"""`verify --only sv` and `verify --blocks`: what they find, what they miss, and that they say so."""

import json
import re
import shutil

import numpy as np
import pytest

from results import flip_last_bit
from running import decompose, made_scan, tomobasis

BLOCKS = 5  # row blocks of a scan of 120 x 160


def verify(result, scan, *options):
    return tomobasis("verify", result, "--input", scan, *options)


@pytest.fixture
def copy(made, tmp_path):
    return shutil.copytree(made.result, tmp_path / "result")


def test_s_and_v_alone_are_verified_and_the_line_says_what_was_not(made):
    run = verify(made.result, made.folder, "--only", "sv", "--seed", "7")
    assert run.code == 0, run.err
    lines = run.out.splitlines()
    assert lines[0] == "verified     pixels, s and V: every bit is what the input gives"
    assert "(--seed 7): a wrong one would pass with a probability below 1e-18" in lines[1]
    assert any(line.startswith("not checked  U, pictures, report") for line in lines)
    assert json.loads((made.result / "manifest.json").read_text())["digests"]["root"] in lines[-1]
    assert "[6/" not in run.err and "render" not in run.err


def test_without_u_a_bad_block_is_missed_and_a_bad_weight_is_found(made, copy):
    flip_last_bit(copy / "basis/part-00002.parquet", "values")
    assert verify(copy, made.folder).code == 4
    assert verify(copy, made.folder, "--only", "sv").code == 0
    flip_last_bit(copy / "weights.parquet", "weights")
    run = verify(copy, made.folder, "--only", "sv")
    assert run.code == 4 and "weights.parquet" in run.errors[0], run.err


def test_a_share_of_blocks_finds_a_bad_block_as_often_as_it_says(made, copy):
    flip_last_bit(copy / "basis/part-00002.parquet", "values")
    found = 0
    for seed in range(20):
        run = verify(copy, made.folder, "--blocks", "40%", "--seed", str(seed), "--json")
        found += run.code == 4
        document = json.loads(run.out)
        assert document["same"] is (run.code == 0)
        if run.code == 0:
            scope = document["scope"]
            assert (scope["part"], scope["seed"], scope["blocks"]) == ("blocks", seed, [2, BLOCKS])
            assert scope["missed"] == pytest.approx(0.6) and scope["gram_error"] == 1e-18
    # Two blocks of five: 8 of 20 on average, with a standard deviation of 2.2. The seeds are fixed.
    assert 2 <= found <= 14


def test_all_blocks_miss_none_and_a_seed_makes_the_same_choice_again(made, copy):
    run = verify(made.result, made.folder, "--blocks", "100%")
    assert run.code == 0 and f"{BLOCKS} of {BLOCKS} row blocks of U" in run.out, run.err
    assert "missed with a probability of 0.000" in run.out
    seeds = {re.search(r"--seed (\d+)", verify(made.result, made.folder, "--blocks", "1%").out)[1] for _ in range(2)}
    assert len(seeds) == 2
    flip_last_bit(copy / "basis/part-00002.parquet", "values")
    codes = [verify(copy, made.folder, "--blocks", "20%", "--seed", "3").code for _ in range(2)]
    assert codes[0] == codes[1]


def test_another_scan_is_a_difference(made, tmp_path):
    made_scan(tmp_path / "other", seed=2)
    for options in (["--only", "sv"], ["--blocks", "50%"]):
        run = verify(made.result, tmp_path / "other", *options)
        assert run.code == 4 and "the pixels of the input are not those" in run.errors[0], run.err


@pytest.mark.parametrize(
    "options", [["--center", "both"], ["--rank", "3"], ["--emit", "png"], ["--method", "dssvd", "--rank", "3"]]
)
def test_results_of_every_kind_can_be_checked_in_part(made, options, tmp_path):
    run = decompose("--input", made.folder, "--output", tmp_path / "result", *options)
    assert run.code == 0, run.err
    for part in (["--only", "sv"], ["--blocks", "20%"]):
        run = verify(tmp_path / "result", made.folder, *part)
        assert run.code == 0 and run.out.startswith("verified     pixels, s and V"), run.err
        assert ("gram " in run.out) == ("dssvd" not in options)


def test_a_matrix_of_floats_has_no_modular_check_and_claims_none(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(1).normal(size=(9000, 5)))
    source = ["--input", tmp_path / "a.npy"]
    run = decompose(*source, "--input-format", "npy", "--output", tmp_path / "result")
    assert run.code == 0, run.err
    run = verify(tmp_path / "result", tmp_path / "a.npy", "--blocks", "50%", "--json")
    assert run.code == 0, run.err
    assert json.loads(run.out)["scope"]["gram_error"] is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--seed", "1"], "--seed: it applies to --only and --blocks"),
        (["--blocks", "0"], "a share above 0 is expected"),
        (["--blocks", "101%"], "a share above 0 is expected"),
        (["--only", "sv", "--blocks", "5%"], "cannot be used with"),
    ],
)
def test_options_that_do_not_go_together_are_refused(made, options, text):
    run = verify(made.result, made.folder, *options)
    assert run.code == 2 and len(run.errors) == 1 and text in run.errors[0], run.err


def test_a_denoised_series_has_no_parts(tmp_path):
    made_scan(tmp_path / "scan", slices=40, rows=60, columns=70)
    run = tomobasis("denoise", "--input", tmp_path / "scan", "--output", tmp_path / "out", "--quality", "fast")
    assert run.code == 0, run.err
    run = verify(tmp_path / "out", tmp_path / "scan", "--only", "sv")
    assert run.code == 2 and run.errors[0].startswith("error: --only: it applies to results of a decomposition"), (
        run.err
    )
