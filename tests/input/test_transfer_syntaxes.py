"""However a scan is compressed, it is the same scan: digests of the pixels that the command reads against pydicom's."""

import hashlib
import shutil

import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from oracle import result
from running import decompose, made_scan

LOSSY = {"50", "51", "53", "55", "81", "91"}


def digests(folder, out):
    run = decompose("--input", folder, "--output", out, "--emit", "parquet")
    assert run.code == 0, run.err
    return result.read(out).manifest["digests"]


def stored_pixels(paths):
    slices = [hashlib.sha256(pydicom.dcmread(path).pixel_array.astype("<i4").tobytes()).digest() for path in paths]
    return hashlib.sha256(b"".join(slices)).hexdigest()


@pytest.fixture(scope="module")
def uncompressed(tmp_path_factory):
    base = tmp_path_factory.mktemp("uncompressed")
    paths = made_scan(base / "scan", 4, 64, 80)[1]
    return paths, digests(base / "scan", base / "result")


@pytest.mark.parametrize("syntax", [RLELossless, DeflatedExplicitVRLittleEndian], ids=lambda uid: uid.name)
def test_a_scan_in_another_syntax_gives_the_same_digests(uncompressed, syntax, tmp_path):
    paths, expected = uncompressed
    (tmp_path / "scan").mkdir()
    for path in paths:
        dataset = pydicom.dcmread(path)
        if syntax.is_encapsulated:
            dataset.compress(syntax, generate_instance_uid=False)
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(tmp_path / "scan" / path.name)
    assert digests(tmp_path / "scan", tmp_path / "result") == expected
    assert expected["pixels"] == stored_pixels(paths)


def test_one_image_is_the_same_in_all_lossless_syntaxes(shared, tmp_path):
    files = sorted(shared("codec_ct").glob("*.dcm"))
    lossless = [path for path in files if path.stem.split(".")[-1] not in LOSSY]
    expected = stored_pixels([path for path in files if path.name == "CTImage.dcm"])
    assert len(lossless) == 10
    for number, path in enumerate(lossless):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(path, folder)
        assert digests(folder, tmp_path / f"result {number}")["pixels"] == expected, path.name
