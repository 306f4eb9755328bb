"""`--json`: one document on stdout from every command, errors as JSON on stderr, and the exit codes of docs/command.md."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from limited import least, limited
from results import flip_last_bit
from running import ROOT, made_scan, tomobasis

PAGE = (ROOT / "docs/command.md").read_text()


def answer(*arguments, code=0):
    """What a command prints with --json, and its error, if it has one."""
    run = tomobasis(*arguments, "--json", "--quiet")
    assert run.code == code, run.err
    assert (run.err == "") == (code == 0), run.err
    error = json.loads(run.err)["error"] if code else None
    if error:
        assert error.keys() == {"message", "kind", "exit_code"} and error["exit_code"] == code
        assert f"| {code} | `{error['kind']}` |" in PAGE
    return (json.loads(run.out) if run.out else None), error


def documented(command):
    """The keys that the page names for a command."""
    rows = re.findall(r"^\| ([^|]*) \| (.*) \|$", PAGE, re.MULTILINE)
    [keys] = [keys for name, keys in rows if name.strip() == command]
    return keys


def keys_are_documented(command, document):
    missing = [key for key in document if f"`{key}`" not in documented(command)]
    assert missing == [], (command, missing)


def test_every_command_has_a_row():
    listed = tomobasis("--help").out.partition("Commands:")[2].partition("Options:")[0]
    for name in re.findall(r"^  (\w+) ", listed, re.MULTILINE):
        assert name == "help" or re.search(rf"^\| `{name}`", PAGE, re.MULTILINE), name


def test_inspect_and_decompose(made, tmp_path):
    document, _ = answer("inspect", made.folder)
    keys_are_documented("`inspect`", document)
    document, _ = answer("decompose", "--input", made.folder, "--output", tmp_path / "result")
    keys_are_documented("`decompose`", document)
    stored = json.loads((tmp_path / "result/manifest.json").read_text())
    assert document["root_digest"] == stored["digests"]["root"]
    del stored["files"], stored["digests"]["U"]["blocks"]
    for unsealed in (stored, document["manifest"]):
        unsealed["run"].pop("manifest_sha256", None)
        unsealed["run"].pop("report", None)
    assert document["manifest"] == stored


def test_all_series_and_status(tmp_path):
    made_scan(tmp_path / "scans", 6, 16, 16)
    arguments = ("--input", tmp_path / "scans", "--output", tmp_path / "out", "--series", "all", "--emit", "parquet")
    document, _ = answer("decompose", *arguments)
    keys_are_documented("either with `--series all`", document)
    [row] = document["series"]
    assert row["state"] == "done" and len(row["root"]) == 64
    status, _ = answer("status", tmp_path / "out")
    keys_are_documented("`status`", status)
    assert status["series"] == document["series"]
    assert tomobasis("status", tmp_path / "out").out.startswith("series       1: 1 done")
    none, error = answer("status", tmp_path, code=3)
    assert none is None and error["message"].startswith("index.parquet: ")


def test_denoise(tmp_path):
    made_scan(tmp_path / "scan", slices=40, rows=60, columns=70)
    arguments = ("--input", tmp_path / "scan", "--output", tmp_path / "out", "--quality", "fast")
    document, _ = answer("denoise", *arguments)
    keys_are_documented("`denoise`", document)
    stored = json.loads((tmp_path / "out/manifest.json").read_text())
    assert document["manifest"]["digests"] == stored["digests"]
    document, _ = answer("verify", tmp_path / "out", "--input", tmp_path / "scan")
    assert document["same"] is True and document["digest"] == stored["digests"]["denoised"]


def test_verify_and_compare_say_what_differs_on_both(made, tmp_path):
    root = json.loads((made.result / "manifest.json").read_text())["digests"]["root"]
    document, _ = answer("verify", made.result, "--input", made.folder)
    keys_are_documented("`verify`", document)
    assert document["same"] is True and document["digest"] == root
    assert document["scope"]["part"] == "all" and document["scope"]["missed"] == 0
    assert all(f"`{key}`" in PAGE for key in document["scope"])
    copy = shutil.copytree(made.result, tmp_path / "copy")
    flip_last_bit(copy / "weights.parquet", "weights")
    for arguments in (["verify", copy, "--input", made.folder], ["compare", made.result, copy]):
        document, error = answer(*arguments, code=4)
        assert document["same"] is False and document["text"] == error["message"]
    document, _ = answer("compare", made.result, made.result)
    keys_are_documented("`compare` of results", document)
    document, _ = answer("compare", made.folder, made.folder)
    assert document["compared"] == "series" and all(f"`{key}`" in PAGE for key in document)


def test_certify_attest_paper_and_render(made, tmp_path):
    root = json.loads((made.result / "manifest.json").read_text())["digests"]["root"]
    document, _ = answer("certify", made.result, "--input", made.folder, "--output", tmp_path / "proof")
    keys_are_documented("`certify`", document)
    assert document["root_digest"] == root and (tmp_path / "proof/prove.py").is_file()
    document, _ = answer("attest", made.result, "--as", "in-toto")
    keys_are_documented("`attest`", document)
    assert document["attestation"] == json.loads(tomobasis("attest", made.result, "--as", "in-toto").out)
    assert document["form"] == "in-toto" and document["output"] is None
    document, _ = answer("attest", made.result, "--as", "in-toto", "--output", tmp_path / "a.json")
    assert document["attestation"] == json.loads((tmp_path / "a.json").read_text())
    document, _ = answer("paper", made.result)
    keys_are_documented("`paper`", document)
    assert document["text"].rstrip("\n") == tomobasis("paper", made.result).out.rstrip("\n")
    assert document["digests"]["root"] == root
    for command in document["commands"].values():
        assert f"\n    {command}\n" in document["text"]
    document, _ = answer("render", made.result, "--output", tmp_path / "pictures")
    keys_are_documented("`render`", document)
    assert sorted(document["pictures"]) == sorted(map(str, (tmp_path / "pictures").iterdir()))


def test_reference_and_score(tmp_path):
    document, _ = answer("reference", tmp_path / "matrices")
    keys_are_documented("`reference`", document)
    file = sorted((tmp_path / "matrices").glob("*.npz"))[0]
    with np.load(file) as arrays:
        np.savez(tmp_path / "factors.npz", matrix=file.stem, s=arrays["s"], V=arrays["V"])
    document, _ = answer("score", tmp_path / "factors.npz")
    keys_are_documented("`score`", document)
    assert document["scores"][0]["matrix"] == file.stem


def test_completions_and_man(tmp_path):
    document, _ = answer("completions", "bash")
    keys_are_documented("`completions`", document)
    assert document["script"].rstrip("\n") == tomobasis("completions", "bash").out.rstrip("\n")
    document, _ = answer("man", tmp_path / "man")
    keys_are_documented("`man`", document)
    assert sorted(document["pages"]) == sorted(map(str, (tmp_path / "man").iterdir()))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["decompose", "--input", "/no/such", "--output", "x"], 3),
        (["decompose", "--no-such-option"], 2),
        (["no-such-command"], 2),
        ([], 2),
        (["render", "/no/such", "--output", "x"], 3),
    ],
)
def test_errors_are_json_also_those_of_the_command_line(arguments, code, tmp_path):
    document, error = answer(*arguments, code=code)
    assert document is None and error["message"]


def test_without_quiet_the_error_is_the_last_line(made, tmp_path):
    (tmp_path / "result").mkdir()
    run = tomobasis("verify", tmp_path / "result", "--input", made.folder, "--json")
    assert run.code == 3 and run.out == ""
    assert json.loads(run.err.splitlines()[-1])["error"]["exit_code"] == 3


def test_memory_that_runs_out_is_json(made, tmp_path):
    start = least()
    failed = 0
    for step in range(12):
        arguments = ("decompose", "--input", made.folder, "--output", tmp_path / "out", "--json", "--quiet")
        run = limited(*arguments, gigabytes=start + 0.004 * step)
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        if run.code:
            failed += 1
            assert run.code == 1 and json.loads(run.err)["error"]["exit_code"] == 1, run.err
    assert failed > 0


def test_names_that_a_terminal_would_obey_are_values_all_the_same(made, tmp_path):
    for name in ("\u202elatot", "a\x7fb", "\U000e0041"):
        output = tmp_path / name
        document, _ = answer("decompose", "--input", made.folder, "--output", output, "--emit", "parquet")
        assert document["output"] == str(output)
        run = tomobasis("--json", "certify", output, "--input", made.folder, "--output", tmp_path / f"proof {name}")
        assert not any(c in run.out for c in name if not c.isprintable()), run.out
        assert json.loads(run.out)["output"] == str(tmp_path / f"proof {name}")


def test_words_that_are_no_text_are_an_error_in_json():
    for words in ((b"paper", b"r\xff"), (b"paper", b"x", b"--qu\xffiet"), (b"render", b"x", b"--output", b"\xff")):
        command = [ROOT / "bin/tomobasis", *words, b"--json"]
        run = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        error = json.loads(run.stderr)["error"]
        assert (run.returncode, run.stdout, error["kind"]) == (2, b"", "usage")
        assert "is not UTF-8" in error["message"] and "--json" not in error["message"], error
