"""`compare --html`: a page that needs nothing else, with the differences that NumPy finds."""

import base64
import io
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pydicom
import pytest
from PIL import Image

from oracle import result
from running import decompose, secrets, tomobasis


@pytest.fixture(scope="module")
def derived(made, tmp_path_factory):
    base = tmp_path_factory.mktemp("derived")
    options = ("--emit", "parquet,dicom", "--composite", "3,24")
    run = decompose("--input", made.folder, "--output", base / "result", *options)
    assert run.code == 0, run.err
    return base / "result"


def page_of(a, b, file, *options, code):
    run = tomobasis("compare", a, b, "--html", file, *options)
    assert run.code == code, run.err
    page = file.read_text()
    HTMLParser().feed(page)
    assert "http://" not in page and "https://" not in page and "<script" not in page
    assert "default-src 'none'" in page
    return page, run


def slices(folder):
    datasets = sorted((pydicom.dcmread(path) for path in folder.iterdir()), key=lambda d: d.ImagePositionPatient[2])
    return np.stack([d.pixel_array * float(d.RescaleSlope) + float(d.RescaleIntercept) for d in datasets])


def table(page):
    rows = re.findall(r"<tr>((?:<td class=\"number\">[^<]*</td>)+)</tr>", page)
    return np.array([[float(cell) for cell in re.findall(r">([^<]*)<", row) if cell] for row in rows])


def test_two_series_that_differ_are_shown_slice_by_slice(made, derived, tmp_path):
    page, run = page_of(made.folder, derived / "dicom/k=3", tmp_path / "page.html", code=4)
    apart = np.abs(slices(made.folder) - slices(derived / "dicom/k=3"))
    found = table(page)
    assert len(found) == 24
    assert np.array_equal(found[:, 0], np.arange(1, 25))
    assert np.array_equal(found[:, 1], np.count_nonzero(apart, axis=(1, 2)))
    rms = np.sqrt(np.mean(apart**2, axis=(1, 2)))
    assert np.allclose(found[:, 2], rms, atol=1e-4)
    assert np.allclose(found[:, 3], apart.max(axis=(1, 2)), atol=1e-4)
    assert "A and B differ" in page and run.errors[0].removeprefix("error: ").split(";")[0] in page.replace(
        "&#39;", "'"
    )
    points = re.findall(r'<polyline class="curve" points="([^"]*)"', page)
    assert [len(curve.split()) for curve in points] == [24, 24]
    highest = [min(float(point.split(",")[1]) for point in curve.split()) for curve in points]
    assert highest == [10.0, 10.0]
    assert int(np.argmin([float(point.split(",")[1]) for point in points[0].split()])) == int(rms.argmax())
    [picture] = re.findall(r'src="data:image/png;base64,([^"]*)"', page)
    image = Image.open(io.BytesIO(base64.b64decode(picture)))
    assert image.size[0] > 3 * 256 and image.mode == "RGB"
    assert not [secret for secret in secrets(made.scan) if secret in page]


def test_two_series_that_are_the_same_have_a_page_without_pictures(made, derived, tmp_path):
    page, _ = page_of(made.folder, derived / "dicom/k=24", tmp_path / "page.html", code=0)
    assert "A and B are the same" in page and "<img" not in page
    assert not table(page)[:, 1:].any()


def test_results_that_are_the_same_say_what_was_compared(made, tmp_path):
    page, run = page_of(made.result, made.result, tmp_path / "page.html", code=0)
    assert "every bit of the pixels, s, V, U" in page and "A and B are the same" in page and run.out


def test_results_that_differ_are_compared_by_their_reconstructions(made, tmp_path):
    run = decompose("--input", made.folder, "--output", tmp_path / "other", "--rank", "3", "--emit", "parquet")
    assert run.code == 0, run.err
    page, run = page_of(made.result, tmp_path / "other", tmp_path / "page.html", code=4)
    a, b = result.read(made.result), result.read(tmp_path / "other")
    apart = ((a.v * a.s) @ a.u.T) - ((b.v * b.s) @ b.u.T)
    found = table(page)
    assert np.allclose(found[:, 2], np.sqrt(np.mean(apart**2, axis=1)), atol=1e-4)
    assert np.allclose(found[:, 3], np.abs(apart).max(axis=1), atol=1e-4)
    assert b.manifest["digests"]["root"] in page and a.manifest["digests"]["root"] in page
    assert page.count("data:image/png;base64,") == 1


def test_results_without_tables_say_that_slices_were_not_compared(made, tmp_path):
    run = decompose("--input", made.folder, "--output", tmp_path / "other", "--rank", "3", "--emit", "png")
    assert run.code == 0, run.err
    page, _ = page_of(made.result, tmp_path / "other", tmp_path / "page.html", code=4)
    assert "not compared: manifest.json: B was made without its tables" in page and not len(table(page))


def test_a_page_replaces_nothing_unless_that_is_asked_for(made, tmp_path):
    file = tmp_path / "page.html"
    file.write_text("mine")
    run = tomobasis("compare", made.result, made.result, "--html", file)
    assert run.code == 2 and run.errors[0].startswith("error: --html: it exists already"), run.err
    assert file.read_text() == "mine"
    run = tomobasis("compare", made.result, made.result, "--html", file, "--overwrite")
    assert run.code == 2 and "none of the files that this command writes" in run.errors[0], run.err
    assert file.read_text() == "mine"
    file.unlink()
    page_of(made.result, made.result, file, code=0)
    page_of(made.result, made.result, file, "--overwrite", code=0)
    copy = shutil.copytree(made.result, tmp_path / "copy")
    run = tomobasis("compare", made.result, made.result, "--html", copy / "page.html")
    assert run.code == 2 and "it lies in a result" in run.errors[0], run.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "page.html"]
