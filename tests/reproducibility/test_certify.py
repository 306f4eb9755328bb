"""`tomobasis certify`: a stranger proves every digit of a result with python-flint alone, and nothing can be changed unseen."""

import hashlib
import json
import random
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from golden.cases import CASES
from running import ROOT, decompose, made_scan, secrets, start, tomobasis

FILES = ["README.md", "V.txt", "gram.txt", "manifest.json", "prove.py", "result.json", "s.txt", "vectors.txt"]


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    """A new Python environment with python-flint, of the version that the tests pin, and nothing of ours."""
    base = tmp_path_factory.mktemp("stranger")
    subprocess.run([sys.executable, "-m", "venv", base], check=True)
    flint = re.search(r"^python-flint==.*$", (ROOT / "tests/requirements.txt").read_text(), re.MULTILINE)[0]
    pip = [base / "bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install", flint]
    subprocess.run(pip, check=True)
    listed = subprocess.run([*pip[:3], "freeze"], check=True, capture_output=True, text=True).stdout
    assert listed.split() == [flint]
    return base / "bin/python"


def certified(scan, base, *options, decomposed=()):
    """The bundle of a scan's result."""
    run = decompose("--input", scan, "--output", base / "result", "--emit", "parquet", *decomposed)
    assert run.code == 0, run.err
    run = tomobasis("certify", base / "result", "--input", scan, "--output", base / "bundle", *options)
    assert run.code == 0, run.err
    return base / "bundle"


def proven(python, bundle):
    # Another folder, and no environment: nothing but the bundle is at hand.
    return start([python, "-I", bundle / "prove.py"])


@pytest.fixture(scope="module")
def bundle(made, tmp_path_factory):
    return certified(made.folder, tmp_path_factory.mktemp("certified"))


def write_sums(bundle):
    """The list of digests, after a change that nobody is to see."""
    sums = [f"{hashlib.sha256((bundle / name).read_bytes()).hexdigest()}  {name}\n" for name in FILES]
    (bundle / "SHA256SUMS").write_text("".join(sums))


def rewrite_digests(bundle):
    """The digests of s and V in the result's manifest, and its root digest, for what the files hold now."""
    result = json.loads((bundle / "result.json").read_text())
    s = np.array([float.fromhex(line) for line in (bundle / "s.txt").read_text().split()])
    v = np.array([float.fromhex(word) for word in (bundle / "V.txt").read_text().split()])
    digests = result["digests"]
    digests["s"], digests["V"] = (hashlib.sha256(x.astype("<f8").tobytes()).hexdigest() for x in (s, v))
    of = result["result"]
    padding = result["series"].get("padding", {}).get("replaced")
    lines = ["tomobasis result 1", "class certified", "method gram"]
    lines += [f"{name} {of[name]}" for name in ("rows", "columns", "rank")]
    lines += [f"padding {result['parameters']['padding']}"] if padding else []
    lines += [f"pixels {digests['pixels']}", f"s {digests['s']}", f"V {digests['V']}", f"U {digests['U']['root']}", ""]
    digests["root"] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    (bundle / "result.json").write_text(json.dumps(result))
    write_sums(bundle)


def test_the_digits_of_a_small_scan_are_proven_by_python_flint_alone(made, bundle, stranger):
    run = proven(stranger, bundle)
    assert run.code == 0, run.out + run.err
    manifest = json.loads((made.result / "manifest.json").read_text())
    n, k = manifest["result"]["columns"], manifest["result"]["rank"]
    assert f"{k} singular values and {n * k} weights" in run.out and manifest["digests"]["root"] in run.out
    listed = start(["sh", "-c", f"cd {bundle} && sha256sum -c SHA256SUMS"])
    assert listed.code == 0, listed.err
    assert sorted(path.name for path in bundle.iterdir()) == sorted([*FILES, "SHA256SUMS", "_SUCCESS"])


def test_a_bundle_holds_nothing_of_the_patient(made, bundle):
    text = "".join(path.read_text() for path in bundle.iterdir())
    assert not [secret for secret in secrets(made.scan) if secret in text]


def test_the_digits_of_a_scan_of_a_scanner_are_proven(shared, stranger, tmp_path):
    run = proven(stranger, certified(shared("philips_head_phantom_axial_S2020"), tmp_path))
    assert run.code == 0, run.out + run.err


@pytest.mark.parametrize("name", ["repeated slices", "more slices than pixels", "decimal slopes", "graded slices"])
def test_the_digits_of_scans_of_every_kind_are_proven(name, stranger, tmp_path):
    [case] = [case for case in CASES if case.name == name]
    case.write(tmp_path / "scan")
    bundle = certified(tmp_path / "scan", tmp_path)
    result = json.loads((bundle / "result.json").read_text())["result"]
    if name in ("repeated slices", "more slices than pixels"):
        assert result["numerical_rank"] < result["columns"]
    run = proven(stranger, bundle)
    assert run.code == 0, run.out + run.err
    assert f"the numerical rank is {result['numerical_rank']}" in run.out


@pytest.mark.parametrize("options", [["--rank", "5"], ["--rank", "auto"], ["--center", "both"], ["--center", "slices"]])
def test_a_part_of_the_columns_and_centered_matrices_are_proven(made, options, stranger, tmp_path):
    run = proven(stranger, certified(made.folder, tmp_path, decomposed=options))
    assert run.code == 0, run.out + run.err


def test_the_leading_columns_of_many_are_proven(stranger, tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(3).integers(-1000, 1000, (400, 150)))
    options = ["--input-format", "npy", "--rank", "20"]
    run = proven(stranger, certified(tmp_path / "a.npy", tmp_path, decomposed=options))
    assert run.code == 0, run.out + run.err


@pytest.mark.parametrize("options", [[], ["--rank", "6"]])
def test_equal_singular_values_have_the_canonical_basis_by_proof(options, stranger, tmp_path):
    h = np.array([[1, 1], [1, -1]])
    np.save(tmp_path / "a.npy", np.kron(np.kron(h, h), np.array([[2, 1, 0], [0, 1, 0], [0, 0, 3]])))
    bundle = certified(tmp_path / "a.npy", tmp_path, decomposed=["--input-format", "npy", *options])
    unresolved = json.loads((bundle / "result.json").read_text())["result"]["unresolved"]
    assert len(unresolved) == (6 if options else 12)
    run = proven(stranger, bundle)
    assert run.code == 0, run.out + run.err


@pytest.mark.parametrize("options", [[], ["--center", "pixels"], ["--center", "slices"], ["--center", "both"]])
def test_a_matrix_of_floats_is_proven(options, stranger, tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(1).normal(size=(40, 9)) * np.logspace(0, -8, 9))
    run = proven(stranger, certified(tmp_path / "a.npy", tmp_path, decomposed=["--input-format", "npy", *options]))
    assert run.code == 0, run.out + run.err


def test_no_bit_of_any_file_can_be_changed_unseen(bundle, stranger, tmp_path):
    chance = random.Random(22)
    for name in [*FILES, "SHA256SUMS"]:
        for _ in range(6):
            changed = shutil.copytree(bundle, tmp_path / "changed")
            content = bytearray((changed / name).read_bytes())
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            (changed / name).write_bytes(content)
            if name != "prove.py":
                run = proven(stranger, changed)
                assert run.code == 1, (name, run.out)
            listed = start(["sh", "-c", f"cd {changed} && sha256sum --strict --check SHA256SUMS"])
            assert listed.code != 0 or name == "SHA256SUMS", name
            shutil.rmtree(changed)


@pytest.mark.parametrize("name", ["s.txt", "V.txt"])
def test_a_wrong_last_bit_is_found_though_every_digest_was_made_to_fit(name, bundle, stranger, tmp_path):
    changed = shutil.copytree(bundle, tmp_path / "changed")
    lines = [line.split() for line in (changed / name).read_text().splitlines()]
    for line, word in [(0, 0), (len(lines) // 2, -1), (-1, 0), (-1, -1)]:
        kept = lines[line][word]
        x = float.fromhex(kept)
        small = name == "V.txt" and abs(x) < 2.0**-11
        lines[line][word] = float.hex(x + 2.0**-64 if small else float(np.nextafter(x, np.inf)))
        (changed / name).write_text("".join(" ".join(words) + "\n" for words in lines))
        rewrite_digests(changed)
        run = proven(stranger, changed)
        letter = name[0]
        assert run.code == 1 and f"NOT PROVEN: {letter}[" in run.err, run.out + run.err
        lines[line][word] = kept
    (changed / name).write_text("".join(" ".join(words) + "\n" for words in lines))
    rewrite_digests(changed)
    assert proven(stranger, changed).code == 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda result: result.update(numerical_rank=result["numerical_rank"] - 1), "the numerical rank"),
        (lambda result: result.update(unresolved=[0, 1]), "which singular values are equal"),
        (lambda result: result.update(energy=float(np.nextafter(result["energy"], 0))), "the energy"),
    ],
)
def test_a_wrong_claim_of_the_manifest_is_found(change, named, bundle, stranger, tmp_path):
    changed = shutil.copytree(bundle, tmp_path / "changed")
    manifest = json.loads((changed / "result.json").read_text())
    change(manifest["result"])
    (changed / "result.json").write_text(json.dumps(manifest))
    write_sums(changed)
    run = proven(stranger, changed)
    assert run.code == 1 and run.err.strip() == f"NOT PROVEN: {named}", run.out + run.err


def test_another_gram_matrix_is_found(bundle, stranger, tmp_path):
    changed = shutil.copytree(bundle, tmp_path / "changed")
    lines = (changed / "gram.txt").read_text().splitlines()
    words = lines[7].split()
    words[2] = str(int(words[2]) + 1)
    lines[7] = " ".join(words)
    (changed / "gram.txt").write_text("\n".join(lines) + "\n")
    write_sums(changed)
    run = proven(stranger, changed)
    assert run.code == 1 and run.err.startswith("NOT PROVEN: "), run.out + run.err


def test_what_cannot_be_certified_is_refused_in_one_line(made, bundle, tmp_path):
    fixed = tmp_path / "fixed"
    run = decompose("--input", made.folder, "--output", fixed, "--method", "tsqr", "--emit", "parquet")
    assert run.code == 0, run.err
    made_scan(tmp_path / "other", seed=2)
    cases = [
        ([fixed, "--input", made.folder], 2, "error: RESULT: it is of class fixed (tsqr)"),
        ([made.result, "--input", tmp_path / "other"], 4, "error: the pixels of the input are not those that were"),
        ([tmp_path / "none", "--input", made.folder], 3, "error: _SUCCESS: there is no such file"),
        ([bundle, "--input", made.folder], 3, "error: manifest.json: "),
    ]
    for arguments, code, text in cases:
        run = tomobasis("certify", *arguments, "--output", tmp_path / "bundle")
        assert run.code == code and len(run.errors) == 1 and run.errors[0].startswith(text), run.err
        assert sorted(path.name for path in tmp_path.iterdir()) == ["fixed", "other"]


def test_a_bundle_is_replaced_only_on_request_and_is_the_same_again(made, tmp_path):
    place = tmp_path / "bundle"
    arguments = ["certify", made.result, "--input", made.folder, "--output", place]
    assert tomobasis(*arguments, "--threads", "1").code == 0
    sums = (place / "SHA256SUMS").read_text()
    assert tomobasis(*arguments).code == 2
    assert tomobasis(*arguments, "--threads", "3", "--overwrite").code == 0
    assert (place / "SHA256SUMS").read_text() == sums
    (place / "mine.txt").write_text("")
    run = tomobasis(*arguments, "--overwrite")
    assert run.code == 2 and "holds 1 more file" in run.errors[0], run.err


def edit(bundle, name, change):
    """Changes the words of a file's lines."""
    lines = [line.split() for line in (bundle / name).read_text().splitlines()]
    lines = change(lines) or lines
    (bundle / name).write_text("".join(" ".join(words) + "\n" for words in lines))


def edit_result(bundle, **values):
    manifest = json.loads((bundle / "result.json").read_text())
    manifest["result"].update(values)
    (bundle / "result.json").write_text(json.dumps(manifest))


def leave_out(bundle, column, numerical_rank):
    """A bundle without one singular value (None: the last), as if there were none."""
    k = json.loads((bundle / "result.json").read_text())["result"]["rank"] - 1
    column = k if column is None else column
    edit(bundle, "s.txt", lambda lines: lines[:column] + lines[column + 1 :])
    edit(bundle, "V.txt", lambda lines: [words[:column] + words[column + 1 :] for words in lines])
    edit(bundle, "vectors.txt", lambda lines: lines[: column + 1] + lines[column + 2 :])
    edit_result(bundle, rank=k, **({"numerical_rank": k} if numerical_rank else {}))


def exchange(lines, i, j):
    lines[i], lines[j] = lines[j], lines[i]


def turn(lines, column):
    for words in lines:
        words[column] = float.hex(-float.fromhex(words[column]))


def permute(bundle):
    edit(bundle, "s.txt", lambda lines: exchange(lines, 1, 2))
    edit(bundle, "V.txt", lambda lines: [exchange(words, 1, 2) for words in lines] and None)
    edit(bundle, "vectors.txt", lambda lines: exchange(lines, 2, 3))


LIES = {
    "the first left out": (lambda bundle: leave_out(bundle, 0, True), "the numerical rank"),
    "one left out": (lambda bundle: leave_out(bundle, 4, True), "the numerical rank"),
    "the last left out": (lambda bundle: leave_out(bundle, None, True), "the numerical rank"),
    "the first left out and counted": (lambda bundle: leave_out(bundle, 0, False), "no other eigenvalue is near"),
    "V permuted": (
        lambda bundle: edit(bundle, "V.txt", lambda lines: [exchange(words, 1, 2) for words in lines] and None),
        "V[0, 1]",
    ),
    "all permuted": (permute, "eigenvalues 1 to 2 are equal, or apart"),
    "another sign": (lambda bundle: edit(bundle, "V.txt", lambda lines: turn(lines, 2)), "the sign of column 2 of V"),
    "no number in s": (lambda bundle: edit(bundle, "s.txt", lambda lines: lines[3].__setitem__(0, "nan")), "s[3]"),
    "no number in V": (lambda bundle: edit(bundle, "V.txt", lambda lines: lines[5].__setitem__(7, "nan")), "V[5, 7]"),
    "a number in another form": (
        lambda bundle: edit(bundle, "s.txt", lambda lines: lines[0].__setitem__(0, lines[0][0].replace("0x", "0x0"))),
        "is a number as these files have them",
    ),
    "a vector twice": (
        lambda bundle: edit(bundle, "vectors.txt", lambda lines: lines.__setitem__(3, lines[2])),
        "are independent",
    ),
    "more than a triangle": (
        lambda bundle: edit(bundle, "gram.txt", lambda lines: lines[1].append("7")),
        "gram.txt holds a lower",
    ),
    "other words in the head": (
        lambda bundle: edit(bundle, "gram.txt", lambda lines: lines[0].__setitem__(0, "rows")),
        "gram.txt",
    ),
    "a word that is no number": (
        lambda bundle: edit(bundle, "gram.txt", lambda lines: lines[2].__setitem__(0, "1e5")),
        "not in the form",
    ),
    "no numerical rank": (lambda bundle: edit_result(bundle, numerical_rank=None), "the numerical rank"),
    "another class": (lambda bundle: edit_result(bundle, **{"class": "fixed"}), "the result is of class certified"),
}


@pytest.mark.parametrize("name", LIES)
def test_no_lie_is_proven_though_every_digest_was_made_to_fit(name, bundle, stranger, tmp_path):
    lie, named = LIES[name]
    forged = shutil.copytree(bundle, tmp_path / "forged")
    lie(forged)
    rewrite_digests(forged)
    run = proven(stranger, forged)
    assert run.code == 1 and run.err.startswith("NOT PROVEN: ") and named in run.err, run.out + run.err
    assert run.err.count("\n") == 1, run.err


def test_a_key_that_stands_twice_is_refused(bundle, stranger, tmp_path):
    forged = shutil.copytree(bundle, tmp_path / "forged")
    text = (forged / "result.json").read_text()
    (forged / "result.json").write_text(text.replace('"rank":', '"rank": 3, "rank":', 1))
    write_sums(forged)
    run = proven(stranger, forged)
    assert run.code == 1 and "each key of result.json stands once" in run.err, run.out + run.err


def test_eigenvalues_that_are_apart_cannot_be_passed_off_as_equal(bundle, stranger, tmp_path):
    # 25 (2^300 + d) and 25 (2^300 - d), just more than the limit apart, with vectors (0.6, 0.8) and (0.8, -0.6). Two vectors that are not
    # orthogonal have residuals so small that the intervals do not reach both eigenvalues.
    large, d = 2**300, 1
    matrix = lambda d: [[25 * large - 7 * d, 24 * d], [24 * d, 25 * large + 7 * d]]  # noqa: E731
    limit = 2 ** (matrix(0)[0][0].bit_length() - 256)
    d = limit // 50 + 1
    assert limit < 50 * d < 1.001 * limit
    gram, half = matrix(d), np.arccos(0.34) / 2
    vectors = [np.cos(half) * np.array([0.8, -0.6]) + sign * np.sin(half) * np.array([0.6, 0.8]) for sign in (1, -1)]
    forged = shutil.copytree(bundle, tmp_path / "forged")
    entries = [f"{gram[0][0]}\n", f"{gram[1][0]} {gram[1][1]}\n"]
    (forged / "gram.txt").write_text("".join(["columns 2 rows 5 exponent 0 divisor 1\n", *entries]))
    words = [" ".join(f"{round(x * 2**60):x}" for x in vector) + "\n" for vector in vectors]
    (forged / "vectors.txt").write_text("".join(["fraction_bits 60\n", *words]))
    (forged / "s.txt").write_text((float.hex(5.0 * 2.0**150) + "\n") * 2)
    rows = [" ".join(float.hex(x) for x in row) + "\n" for row in np.eye(2).tolist()]
    (forged / "V.txt").write_text("".join(rows))
    equal = {"unresolved": [0, 1], "numerical_rank": 2, "energy": float(50 * large)}
    edit_result(forged, rows=5, columns=2, rank=2, **equal)
    rewrite_digests(forged)
    run = proven(stranger, forged)
    assert run.code == 1 and "eigenvalues 0 to 1 are equal, or apart" in run.err, run.out + run.err


@pytest.mark.parametrize("module", ["flint", "hashlib", "json", "pathlib"])
def test_no_file_that_was_added_to_a_bundle_speaks_for_it(module, bundle, stranger, tmp_path):
    forged = shutil.copytree(bundle, tmp_path / "forged")
    (forged / f"{module}.py").write_text("print('proven'); import os; os._exit(0)")
    edit(forged, "s.txt", lambda lines: lines[0].__setitem__(0, float.hex(2.0)))
    rewrite_digests(forged)
    # Also without -I, as README.md has it, and from the folder itself.
    run = start(["sh", "-c", f"cd {forged} && {stranger} prove.py"])
    assert run.code == 1 and run.err == "NOT PROVEN: s[0]\n", run.out + run.err
