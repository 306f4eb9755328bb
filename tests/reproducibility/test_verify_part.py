"""`verify --only sv` and `verify --blocks`: what they find, what they miss, and that they say so."""

import hashlib
import json
import re
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pydicom
import pytest

from results import flip_last_bit, write_sealed
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


def forge(folder, change=lambda manifest: None):
    """Writes a manifest that was changed and fits the files, with its root digest and its seal."""
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    for entry in [*manifest["files"], manifest["run"]["report"]]:
        content = (folder / entry["path"]).read_bytes()
        entry["bytes"], entry["sha256"] = len(content), hashlib.sha256(content).hexdigest()
    result, digests = manifest["result"], manifest["digests"]
    lines = ["tomobasis result 1"]
    lines += [f"{name} {result[name]}" for name in ("class", "method", "rows", "columns", "rank")]
    lines += [f"{name} {digests[name]}" for name in ("pixels", "s", "V")] + [f"U {digests['U']['root']}"]
    digests["root"] = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    write_sealed(folder, manifest)
    return digests["root"]


PARTS = [["--only", "sv"], ["--blocks", "40%", "--seed", "1"], ["--blocks", "100%"]]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("weights.parquet", "slice"),
        ("weights.parquet", "position_mm"),
        ("singular_values.parquet", "index"),
        ("singular_values.parquet", "energy"),
    ],
)
def test_columns_beside_the_numbers_are_verified_too(made, copy, table, column):
    path = copy / table
    content = pq.read_table(path)
    values = content.column(column).to_numpy().copy()
    values[[0, 1]] = values[[1, 0]]
    place = content.column_names.index(column)
    field = content.schema.field(column)
    pq.write_table(content.set_column(place, field, pa.array(values, type=field.type)), path)
    forge(copy)
    for part in PARTS:
        run = verify(copy, made.folder, *part)
        assert run.code == 4 and table in run.errors[0], (part, run.out, run.err)


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest["result"].update(rows=manifest["result"]["rows"] - 1),
        lambda manifest: manifest["result"].update({"class": "fixed"}),
        lambda manifest: manifest["result"].update(energy=1.0),
        lambda manifest: manifest["result"].update(unresolved=[0, 1]),
        lambda manifest: manifest["result"]["bounds"].update(v=1e-99),
        lambda manifest: manifest["parameters"].update(block_rows=8192),
        lambda manifest: manifest["series"].update(unit="US"),
    ],
)
def test_a_manifest_that_was_forged_with_its_root_and_seal_is_found(made, copy, change):
    original = json.loads((copy / "manifest.json").read_text())["digests"]["root"]
    assert forge(copy) == original, "the root of this test is not that of the manifest"
    assert verify(copy, made.folder, "--only", "sv").code == 0
    forge(copy, change)
    for part in PARTS:
        run = verify(copy, made.folder, *part)
        assert run.code == 4 and "manifest.json: " in run.errors[0], (part, run.out, run.err)


def test_the_root_is_not_claimed_beyond_what_was_computed(made):
    lines = [verify(made.result, made.folder, *part).out.splitlines() for part in PARTS]
    none, some, every = (run[-1] for run in lines)
    assert none.endswith("; U in it as the manifest has it, not computed again")
    assert some.endswith(f"; U in it as the manifest has it, 3 of {BLOCKS} row blocks not computed again")
    assert re.fullmatch(r"root digest  [0-9a-f]{64}", every)
    assert not any("row blocks of U" in line for line in lines[2] if line.startswith("not checked"))
    assert any("the other row blocks of U" in line for line in lines[1] if line.startswith("not checked"))


def test_a_copy_under_other_uids_is_not_said_to_have_the_headers(made, tmp_path):
    copy = shutil.copytree(made.folder, tmp_path / "copy")
    for number, path in enumerate(sorted(path for path in copy.rglob("*") if path.is_file())):
        dataset = pydicom.dcmread(path)
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.99{number}"
        dataset.save_as(path)
    run = verify(made.result, copy, "--only", "sv")
    assert run.code == 0 and "not the values of the headers" in run.out, run.err
    assert "weights.parquet has the weights, and the rest of it is of the headers" in run.out


def test_a_reference_is_refused_where_its_figures_are_not_checked(made, tmp_path):
    run = decompose("--input", made.folder, "--output", tmp_path / "result", "--reference", made.folder)
    assert run.code == 0, run.err
    for part in PARTS:
        run = verify(tmp_path / "result", made.folder, *part, "--reference", tmp_path / "nowhere")
        assert run.code == 2 and run.errors[0].startswith("error: --reference: figures against"), run.err


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
