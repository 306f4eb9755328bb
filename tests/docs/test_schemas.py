"""docs/reference/schemas.md and its JSON Schema, against what the commands write."""

import copy
import json
import re
from pathlib import Path

import jsonschema
import pyarrow.parquet as pq
import pytest

from pages import blocks
from running import ROOT, decompose, made_scan, submit, tomobasis

PAGE = "docs/reference/schemas.md"
SCHEMA = json.loads((ROOT / "docs/reference/manifest.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
OF_RESULTS = jsonschema.Draft202012Validator({**SCHEMA["$defs"]["result"], "$defs": SCHEMA["$defs"]})
# Of the section `run` a runner may say whatever it likes.
OPEN = {"run"}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Results of every kind of one small scan, by name."""
    base = tmp_path_factory.mktemp("schemas")
    scan = base / "scan"
    made_scan(scan, slices=60, rows=64, columns=56)
    made_scan(base / "archive/a", slices=8, rows=32, columns=32)
    for name, options in {
        "plain": (),
        "dicom": ("--emit", "parquet,png,report,dicom,text,drm", "--composite", "2,5", "--no-patient-data"),
        "reference": ("--composite", "2,5", "--reference", scan),
        "energy": ("--energy", "0.9", "--center", "both", "--emit", "parquet"),
        "tsqr": ("--method", "tsqr", "--center", "--rank", "4"),
        "dssvd": ("--method", "dssvd", "--rank", "3"),
        "auto": ("--rank", "auto", "--padding", "mask"),
        "joint": ("--input", base / "archive", "--series", "all", "--basis", "joint", "--rank", "3"),
    }.items():
        run = decompose("--input", scan, "--output", base / name, *options)
        assert run.code == 0, run.err
    run = tomobasis("denoise", "--input", scan, "--output", base / "denoised")
    assert run.code == 0, run.err
    run = decompose("--input", base / "archive", "--output", base / "results", "--series", "all")
    assert run.code == 0, run.err
    return base


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def described(schema, value, path=""):
    """Paths in `value` that no schema names."""
    while "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, dict) and "properties" in schema:
        for key, inner in value.items():
            if key in schema["properties"]:
                yield from described(schema["properties"][key], inner, f"{path}.{key}")
            elif path.lstrip(".") not in OPEN:
                yield f"{path}.{key}"
    elif isinstance(value, list):
        for inner in value:
            yield from described(schema.get("items", {}), inner, f"{path}[]")


def check(found, kind):
    VALIDATOR.validate(found)
    assert set(described(SCHEMA["$defs"][kind], found)) == set()


def test_the_schema_is_one_of_its_own_draft():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ["plain", "dicom", "reference", "energy", "tsqr", "dssvd", "auto", "joint"])
def test_manifests_of_results_fit_and_hold_nothing_that_the_schema_does_not_name(base, name):
    check(manifest(base / name), "result")


def test_that_of_a_series_of_an_archive_fits(base):
    [folder] = (base / "results").glob("series-*")
    check(manifest(folder), "result")


def test_that_of_a_denoised_series_fits(base):
    check(manifest(base / "denoised"), "denoised")


@pytest.mark.spark
def test_those_of_the_job_fit(base):
    run = submit("--input", base / "scan", "--output", base / "job")
    assert run.code == 0, run.err
    check(manifest(base / "job"), "result")
    assert manifest(base / "job")["run"]["runner"] != "in-process"


def changed(manifest, path, value):
    """A copy with another value at a path; without the key if the value is `...`."""
    copied = copy.deepcopy(manifest)
    *above, key = path
    place = copied
    for step in above:
        place = place[step]
    if value is ...:
        del place[key]
    else:
        place[key] = value
    return copied


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format"], "tomobasis result 2"),
        (["format"], ...),
        (["digests", "root"], "A" * 64),
        (["digests", "U", "blocks"], []),
        (["digests", "s"], ...),
        (["result", "rank"], "24"),
        (["result", "rank"], -1),
        (["result", "class"], "exact"),
        (["result", "class"], "fixed"),
        (["result", "bounds"], None),
        (["result", "bounds", "v"], ...),
        (["result", "composites", 0, "k"], 0),
        (["parameters", "method"], "tsqr"),
        (["parameters", "rank"], "some"),
        (["parameters", "block_rows"], 512),
        (["emitted"], ["pdf"]),
        (["series", "pixel_spacing_mm"], [1.0]),
        (["series", "warnings"], [{"text": "no kind"}]),
        (["files", 0, "sha256"], ...),
        (["files", 0, "path"], "/tmp/file"),
        (["run", "input"], "scan"),
        (["run"], ...),
    ],
)
def test_what_is_no_manifest_does_not_fit(base, path, value):
    right = manifest(base / "dicom")
    right["files"].sort(key=lambda entry: "sha256" not in entry)
    assert OF_RESULTS.is_valid(right) and VALIDATOR.is_valid(right)
    wrong = changed(right, path, value)
    assert not OF_RESULTS.is_valid(wrong) and not VALIDATOR.is_valid(wrong)


def test_the_python_on_the_page_runs(base, monkeypatch):
    [block] = [block for block in blocks(PAGE) if block.language == "python"]
    folder = base / "checkout"
    folder.mkdir()
    (folder / "docs").symlink_to(ROOT / "docs")
    (folder / "result").symlink_to(base / "plain")
    monkeypatch.chdir(folder)
    exec(block.text, {})


def on_the_page():
    """{file: [(column, type)]} as the page has them."""
    [block] = [block for block in blocks(PAGE) if block.language == ""]
    tables = {}
    for line in block.text.splitlines():
        if line and not line.startswith(" "):
            columns = tables[line] = []
        elif line:
            columns.append(tuple(line.strip().split(": ", 1)))
    return tables


@pytest.mark.parametrize("name", ["plain", "tsqr", "joint", "results"])
def test_parquet_files_have_the_columns_of_the_page(base, name):
    kind = {"joint": "--basis joint", "results": "--series all"}.get(name, "")
    tables = {}
    for title, wanted in on_the_page().items():
        file, _, condition = title.partition(", with ")
        if condition == kind:
            tables[file] = wanted
    assert len(tables) == {"joint": 2, "results": 1}.get(name, 3)
    if name == "joint":
        tables["weights/series-*.parquet"] = on_the_page()["weights.parquet"]
    k = None if name == "results" else manifest(base / name)["result"]["rank"]
    for pattern, wanted in tables.items():
        files = sorted((base / name).glob(pattern))
        assert files, pattern
        for path in files:
            assert columns(path, k) == wanted, pattern


def columns(path, k):
    fields = pq.read_schema(path)
    said = [(field.name, f"{field.type} {'' if field.nullable else 'not null'}".strip()) for field in fields]
    return [(name, said.replace(f"[{k}]", "[k]")) for name, said in said]


def test_the_table_of_the_format_has_the_same_columns(base):
    """docs/format.md says what they mean."""
    section = (ROOT / "docs/format.md").read_text().partition("| file | column |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (?:`([^`]+)` )?\| (\w+) \| ", section, re.MULTILINE)
    named, file = {}, None
    for first, column in rows:
        file = first or file
        named.setdefault(file, []).append(column)
    page = {file: [name for name, _ in found] for file, found in on_the_page().items() if "," not in file}
    assert named == page


def test_the_schema_is_where_the_page_says(base):
    assert "(manifest.schema.json)" in (ROOT / PAGE).read_text()
    assert Path(ROOT / "docs/reference/manifest.schema.json").is_file()
