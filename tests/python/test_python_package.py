"""The wheel: what is in it, what it promises, and the examples of its documentation."""

import ast
import doctest
import importlib.metadata
import inspect
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import tomobasis
from running import ROOT, made_scan
from tomobasis import _native

HERE = Path(tomobasis.__file__).parent


def test_what_is_tested_is_the_installed_wheel():
    assert HERE.is_relative_to(sys.prefix)
    assert tomobasis.__version__ == importlib.metadata.version("tomobasis")


@pytest.fixture(scope="module")
def wheel():
    (wheel,) = (ROOT / "build/manylinux").glob("*.whl")
    return wheel


def test_the_wheel_is_for_every_python_from_3_10_on_and_holds_types(wheel):
    assert "-cp310-abi3-" in wheel.name and "manylinux_2_17_" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert {"tomobasis/py.typed", "tomobasis/_native.pyi", "tomobasis/_native.abi3.so"} <= set(names)


def test_the_wheel_needs_no_later_c_library_than_its_name_says(wheel, tmp_path):
    library = zipfile.ZipFile(wheel).extract("tomobasis/_native.abi3.so", tmp_path)
    said = subprocess.run(["objdump", "-p", library], check=True, capture_output=True, text=True).stdout
    needed = set(re.findall(r"NEEDED +(\S+)", said))
    assert needed <= {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "ld-linux-x86-64.so.2"}
    versions = {tuple(map(int, version.split("."))) for version in re.findall(r" GLIBC_([0-9.]+)", said)}
    assert versions and max(versions) <= (2, 17)
    assert "GLIBCXX" not in said


def test_jpeg_is_decoded_by_vector_instructions(wheel, tmp_path):
    """As NASM assembles them: without it libjpeg-turbo is compiled without, and without a word."""
    library = zipfile.ZipFile(wheel).extract("tomobasis/_native.abi3.so", tmp_path)
    # PW_F130_F054 of jidctint-sse2.asm and jidctint-avx2.asm.
    constant = struct.pack("<8h", *([10703, 4433] * 4))
    assert Path(library).read_bytes().count(constant) > 0


PUBLIC = [name for name in tomobasis.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_documented_and_its_examples_run(name):
    public = getattr(tomobasis, name)
    assert inspect.getdoc(public)
    runner = doctest.DocTestRunner()
    tests = doctest.DocTestFinder().find(public, name, module=False, globs={"tomobasis": tomobasis})
    for test in tests:
        runner.run(test)
    assert runner.failures == 0
    if inspect.isfunction(public) or name in ("GramState", "PCA"):
        assert any(test.examples for test in tests)


def members(body):
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def arguments(function):
    return [one.arg for one in function.args.args + function.args.kwonlyargs if one.arg != "self"]


def test_the_stubs_are_those_of_the_native_module():
    body = ast.parse((HERE / "_native.pyi").read_text()).body
    stubs = members(body)
    numbers = {node.target.id for node in body if isinstance(node, ast.AnnAssign) and node.annotation.id == "int"}
    public = {name for name in dir(_native) if not name.startswith("__")}
    assert stubs.keys() | numbers == public
    assert all(isinstance(getattr(_native, name), int) for name in numbers)
    for name, stub in stubs.items():
        native = getattr(_native, name)
        if isinstance(stub, ast.FunctionDef):
            assert arguments(stub) == list(inspect.signature(native).parameters), name
            continue
        methods = {key: one for key, one in members(stub.body).items() if not key.startswith("__")}
        assert set(methods) == {key for key in vars(native) if not key.startswith("_")}, name
        for key, method in methods.items():
            if not any(getattr(one, "id", "") == "property" for one in method.decorator_list):
                theirs = [one for one in inspect.signature(getattr(native, key)).parameters if one != "self"]
                assert arguments(method) == theirs, key


def test_the_package_needs_numpy_alone():
    """Nothing else is imported with it."""
    others = "pandas, sklearn, nibabel, pyarrow, pyspark, tqdm, dask"
    code = f"import sys, tomobasis; assert not sys.modules.keys() & set('{others}'.split(', '))"
    subprocess.run([sys.executable, "-c", code], check=True)


# Runs a call where other packages than NumPy are not found.
ALONE = """
import sys

class Hidden:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("sklearn", "pandas", "nibabel", "pyarrow"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
import tomobasis

scan, result, call = sys.argv[1:]
try:
    exec(call)
except ImportError as error:
    assert isinstance(error, tomobasis.MissingPackageError) and isinstance(error, RuntimeError)
    print(error)
"""


def test_a_package_that_a_call_needs_and_that_is_not_there_is_named(tmp_path):
    scan, result = tmp_path / "scan", tmp_path / "result"
    made_scan(scan, slices=3, rows=8, columns=9)
    tomobasis.decompose(scan, result, emit=["parquet"])
    for call, package in {
        "tomobasis.PCA()": "scikit-learn",
        "from tomobasis import PCA": "scikit-learn",
        "tomobasis.inspect(scan).to_pandas()": "pandas",
        "tomobasis.read(scan).to_nifti()": "nibabel",
        "tomobasis.Result(result).table('singular_values.parquet')": "pyarrow",
    }.items():
        said = subprocess.check_output([sys.executable, "-c", ALONE, scan, result, call], text=True)
        assert f" needs {package}, which is not installed; pip install {package}" in said, call
