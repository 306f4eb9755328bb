"""`tomobasis attest`: what other programs read, checked by these programs' own validators, from the registry, in a new environment."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from results import flip_last_bit, write_sealed
from running import decompose, secrets, start, tomobasis

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def validators(tmp_path_factory):
    """The folder of the programs of a new Python environment with the validators."""
    base = tmp_path_factory.mktemp("validators")
    subprocess.run([sys.executable, "-m", "venv", base], check=True)
    pip = [base / "bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
    return base / "bin"


@pytest.fixture(scope="module")
def study(made, tmp_path_factory):
    """A folder with a result with derived DICOM, in a folder whose name is no part of a URI as it is."""
    base = tmp_path_factory.mktemp("study")
    options = ("--emit", "parquet,png,report,dicom", "--composite", "2,5")
    run = decompose("--input", made.folder, "--output", base / "the results/first", *options)
    assert run.code == 0, run.err
    return base


def attested(study, form, *options):
    run = tomobasis("attest", study / "the results/first", "--as", form, *options)
    assert run.code == 0, run.err
    return run.out


def manifest(study):
    return json.loads((study / "the results/first/manifest.json").read_text())


STATEMENT = """
import json, sys
from google.protobuf.json_format import ParseDict
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
Statement.copy_from_pb(ParseDict(json.load(sys.stdin), statement_pb2.Statement())).validate()
"""


def validate_statement(validators, text):
    return subprocess.run([validators / "python", "-c", STATEMENT], input=text, capture_output=True, text=True)


def test_in_toto_accepts_the_statement_and_its_subjects_are_the_files(study, validators):
    text = attested(study, "in-toto")
    done = validate_statement(validators, text)
    assert done.returncode == 0, done.stderr
    statement = json.loads(text)
    digests = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
    root = manifest(study)["digests"]["root"]
    assert digests.pop("root digest") == root
    folder = study / "the results/first"
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    # A digest of derived DICOM would let who has the pixels try out names.
    dicom = [name for name in files if name.startswith("dicom/")]
    assert digests.keys() == files.keys() - {"_SUCCESS", *dicom}
    assert statement["predicate"]["filesWithoutDigest"] == len(dicom) == 48
    assert all(hashlib.sha256(files[name].read_bytes()).hexdigest() == digest for name, digest in digests.items())
    predicate = statement["predicate"]
    assert predicate["digests"]["pixels"] == manifest(study)["digests"]["pixels"]
    assert predicate["result"]["bounds"] == manifest(study)["result"]["bounds"]
    assert predicate["parameters"] == manifest(study)["parameters"]


def test_in_toto_refuses_a_statement_without_a_digest(study, validators):
    statement = json.loads(attested(study, "in-toto"))
    del statement["subject"][3]["digest"]
    done = validate_statement(validators, json.dumps(statement))
    assert done.returncode != 0 and "At least one digest required" in done.stderr


def test_a_process_run_crate_is_accepted_and_has_every_file(study, validators, tmp_path):
    attested(study, "ro-crate", "--output", study / "ro-crate-metadata.json", "--overwrite")
    crate = study / "ro-crate-metadata.json"
    run = start([validators / "python", HERE / "validate_crate.py", study])
    assert (run.code, run.out) == (0, ""), run.out + run.err
    entities = {entity["@id"]: entity for entity in json.loads(crate.read_text())["@graph"]}
    files = [entity for entity in entities.values() if entity["@type"] == "File"]
    for file in files:
        assert file["@id"].startswith("the%20results/first/")
        content = (study / "the results/first" / file["name"]).read_bytes()
        if "sha256" in file:
            assert file["sha256"] == hashlib.sha256(content).hexdigest() and file["contentSize"] == str(len(content))
    written = {path.relative_to(study / "the results/first").as_posix() for path in study.rglob("first/**/*")}
    assert {file["name"] for file in files} == {name for name in written if "." in name.rpartition("/")[2]}
    assert entities["#parameter-rank"]["value"] == "full"
    assert entities["#input"]["identifier"] == "sha256:" + manifest(study)["digests"]["pixels"]
    broken = shutil.copytree(study, tmp_path / "broken")
    text = crate.read_text().replace('"instrument"', '"tool"')
    (broken / "ro-crate-metadata.json").write_text(text)
    run = start([validators / "python", HERE / "validate_crate.py", broken])
    assert run.code == 1 and "MUST have an instrument" in run.out, run.out + run.err
    (broken / "ro-crate-metadata.json").write_text(crate.read_text())
    (broken / "the results/first/weights.parquet").unlink()
    run = start([validators / "python", HERE / "validate_crate.py", broken])
    assert run.code == 1, run.out + run.err


def test_a_bids_derivative_with_this_description_is_accepted(study, validators, tmp_path):
    dataset = tmp_path / "dataset"
    shutil.copytree(study / "the results/first", dataset / "result")
    (dataset / ".bidsignore").write_text("/result\n")
    run = tomobasis(
        *("attest", dataset / "result", "--as", "bids-prov", "--output", dataset / "dataset_description.json"),
        *("--license", "CC0"),
    )
    assert run.code == 0 and run.out == "", run.err
    description = json.loads((dataset / "dataset_description.json").read_text())
    assert manifest(study)["digests"]["root"] in description["GeneratedBy"][0]["Description"]
    assert manifest(study)["digests"]["pixels"] in description["SourceDatasets"][0]["Version"]

    def errors():
        run = start([validators / "bids-validator-deno", dataset, "--format", "json"], DENO_DIR=str(tmp_path / "deno"))
        issues = json.loads(run.out)["issues"]["issues"]
        return [issue for issue in issues if issue["severity"] == "error"]

    assert errors() == []
    description["GeneratedBy"][0].pop("Name")
    (dataset / "dataset_description.json").write_text(json.dumps(description))
    assert {issue["code"] for issue in errors()} == {"JSON_SCHEMA_VALIDATION_ERROR"}


@pytest.mark.parametrize("form", ["in-toto", "ro-crate", "bids-prov"])
def test_no_form_holds_anything_of_the_patient_and_each_is_the_same_again(made, study, form):
    text = attested(study, form)
    assert not [secret for secret in secrets(made.scan) if secret in text]
    assert str(study) not in text and os.uname().nodename not in text
    assert attested(study, form, "--threads", "1") == text


def test_the_date_of_a_crate_can_be_given(study):
    run = tomobasis("attest", study / "the results/first", "--as", "ro-crate", SOURCE_DATE_EPOCH="951782400")
    [root] = [entity for entity in json.loads(run.out)["@graph"] if entity["@id"] == "./"]
    assert root["datePublished"] == "2000-02-29"


def test_an_attestation_is_for_others_to_read(study, tmp_path):
    attested(study, "in-toto", "--output", tmp_path / "a.json")
    (tmp_path / "plain").touch()
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "plain"]


def test_what_cannot_be_attested_is_refused_in_one_line(made, study, tmp_path):
    result = shutil.copytree(study / "the results/first", tmp_path / "result")
    exists = tmp_path / "exists.json"
    exists.write_text("mine")
    cases = [
        (["--output", result / "ro-crate-metadata.json"], "it lies in a result"),
        (["--output", tmp_path / "elsewhere/a.json"], "there is no such folder"),
        (["--output", exists], "it exists already"),
        (["--output", tmp_path], "it is a folder"),
    ]
    for options, text in cases:
        run = tomobasis("attest", result, "--as", "in-toto", *options)
        assert run.code == 2 and len(run.errors) == 1, run.err
        assert run.errors[0].startswith(f"error: --output: {text}"), run.err
    (tmp_path / "beside").mkdir()
    run = tomobasis("attest", result, "--as", "ro-crate", "--output", tmp_path / "beside/a.json")
    assert run.code == 2 and "in a folder above the result" in run.errors[0], run.err
    assert exists.read_text() == "mine" and list((tmp_path / "beside").iterdir()) == []
    flip_last_bit(result / "weights.parquet", "weights")
    run = tomobasis("attest", result, "--as", "in-toto")
    assert run.code == 3 and run.errors[0].startswith("error: weights.parquet: ") and run.out == "", run.err


def test_derived_series_whose_pixels_were_changed_are_refused(study, tmp_path):
    """An attestation has the digests of their pixels, as the manifest does, and none of their files."""
    result = shutil.copytree(study / "the results/first", tmp_path / "result")
    path = result / "dicom/k=5/slice-00003.dcm"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    run = tomobasis("attest", result, "--as", "in-toto")
    assert run.code == 3 and run.out == "" and run.errors[0].startswith("error: dicom/k=5: the digest of its pixels"), (
        run.err
    )


@pytest.mark.parametrize("path", ["weights.parquet", "basis/part-00001.parquet", "pictures/basis.png"])
def test_a_file_that_is_listed_without_its_digest_is_refused(study, tmp_path, path):
    """Of derived DICOM alone a manifest lists the path only; what has no digest cannot be compared, nor attested."""
    result = shutil.copytree(study / "the results/first", tmp_path / "result")
    changed = manifest(study)
    (entry,) = (entry for entry in changed["files"] if entry["path"] == path)
    del entry["sha256"], entry["bytes"]
    write_sealed(result, changed)
    for words in (["attest", result, "--as", "in-toto"], ["paper", result]):
        run = tomobasis(*words)
        assert run.code == 3 and run.out == "", run.err
        assert run.errors[0].startswith(f"error: {path}: the manifest does not list its size and SHA-256"), run.err
    run = tomobasis("compare", result, study / "the results/first")
    assert run.code == 4 and f"A: {path}: the manifest does not list its size" in run.errors[0], run.err


def test_an_error_does_not_quote_all_of_what_it_does_not_understand(study, tmp_path):
    result = shutil.copytree(study / "the results/first", tmp_path / "result")
    changed = manifest(study)
    changed["parameters"]["method"] = "x" * 100_000
    write_sealed(result, changed)
    run = tomobasis("paper", result)
    assert run.code == 3 and "manifest.json: not a manifest of this version" in run.errors[0]
    assert len(run.errors[0]) < 1000
