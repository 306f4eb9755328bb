"""The Python on pages of the documentation runs, as it stands there, on a small scan; ELSEWHERE says what runs the rest."""

import shutil

import numpy as np
import pytest

import tomobasis
from pages import blocks, exists, pages
from running import decompose, made_scan
from running import tomobasis as command

# Blocks that need a session of Spark, or what came before in another process, by page and first line: which test runs them.
ELSEWHERE = {
    ("docs/python.md", "ranges = tomobasis.FloatRanges(columns)"): "tests/python/test_python_floats.py",
    ("docs/python.md", "import tomobasis.spark"): "tests/python/test_python_spark.py",
    ("docs/python.md", "result = tomobasis.spark.decompose("): "tests/python/test_python_spark.py",
    ("docs/python.md", "spark.dataSource.register("): "tests/spark/test_dicom_source.py",
    ("docs/spark.md", ""): "tests/spark/test_library.py",
    ("docs/reference/schemas.md", ""): "tests/docs/test_schemas.py",
}


def python_blocks():
    return [block for page in pages() for block in blocks(page) if block.language == "python"]


def elsewhere(block):
    fitting = [key for key in ELSEWHERE if block.page == key[0] and block.text.startswith(key[1])]
    return fitting[0] if fitting else None


HERE = [block for block in python_blocks() if not elsewhere(block)]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A scan, its result, a picture of it, matrices: by the names that pages give them."""
    base = tmp_path_factory.mktemp("pages")
    made_scan(base / "scans/head", slices=60, rows=48, columns=48)
    np.save(base / "matrix.npy", np.arange(600, dtype=np.int16).reshape(60, 10) % 17)
    drawn = ("--as", "images", "--view", "coronal", "--depth", "16", "--slice", "50%")
    for run in (
        decompose("--input", base / "scans/head", "--output", base / "result"),
        command("render", base / "result", "--input", base / "scans/head", *drawn, "--output", base / "pictures"),
        command("reference", base / "matrices"),
    ):
        assert run.code == 0, run.err
    [picture] = (base / "pictures").glob("coronal-*-original.png")
    shutil.copy(picture, base / "pictures/coronal-00256-original.png")
    return base


def names(base):
    """What the text around a block speaks of."""
    block = np.random.default_rng(2).integers(-1024, 3072, size=(200, 60), dtype=np.int16)
    other = tomobasis.GramState(60)
    other.update(block[::-1].copy())
    scan = tomobasis.read(base / "scans/head")
    return {
        "np": np,
        "tomobasis": tomobasis,
        "array": np.random.default_rng(1).normal(size=(40, 5)),
        "columns": 60,
        "block": block,
        "other": other,
        "scan": scan,
        "pixels": (scan.hu + 1024).astype(np.uint16),
    }


@pytest.mark.parametrize("block", HERE, ids=lambda block: f"{block.page}:{block.line}")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_block_runs_as_it_stands_there(block, base, tmp_path, monkeypatch):
    for path in base.iterdir():
        if path.name != "result" or "tomobasis.decompose(" not in block.text:
            (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    exec(compile(block.text, f"{block.page}:{block.line}", "exec"), names(base))


def test_there_are_such_blocks_and_what_runs_the_others_is_there():
    assert len(HERE) >= 7
    assert {elsewhere(block) for block in python_blocks()} - {None} == set(ELSEWHERE)
    assert all(exists(path) for path in ELSEWHERE.values())
