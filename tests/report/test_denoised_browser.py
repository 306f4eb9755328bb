"""The report of a denoised series in a web browser: original, denoised and removed with one window and one cursor, from the series' own
files; by the command and by the job."""

import base64
import json
import re
import struct
import zlib

import numpy as np
import pydicom
import pytest

from results import report_texts
from running import made_scan, tomobasis

SAID = re.compile(
    r"Slice (\d+) of 40, row (\d+), column (\d+): original (\S+) HU; denoised (\S+) HU; removed (\S+) HU\."
)
ROWS, COLUMNS = 64, 80


def hu(paths):
    return np.stack([pydicom.dcmread(path).pixel_array.astype(int) - 1024 for path in paths])


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """The report, and the values before and after: slices x rows x columns, in HU."""
    base = tmp_path_factory.mktemp("denoised")
    scan, paths = made_scan(base / "scan", slices=40, rows=ROWS, columns=COLUMNS)
    assert scan.storage.intercept == -1024
    run = tomobasis("denoise", "--input", base / "scan", "--output", base / "out")
    assert run.code == 0, run.err
    return base / "out/report.html", hu(paths), hu(sorted((base / "out/dicom").iterdir()))


def number(text):
    return int(text.replace("\u2212", "-"))


def check(case, said):
    """Asserts that a sentence at the cursor is true; returns slice, row and column, from 0."""
    _, before, after = case
    found = SAID.fullmatch(said)
    assert found, said
    place = tuple(int(found[i]) - 1 for i in (1, 2, 3))
    original, denoised, removed = (number(found[i]) for i in (4, 5, 6))
    assert (original, denoised, removed) == (before[place], after[place], before[place] - after[place]), said
    return place


def test_three_pictures_in_one_window_with_one_cursor(case, watched):
    report, before, after = case
    page = watched(report, planes=2)
    assert page.problems == [] and page.requests == [report.as_uri()]
    captions = [page.part(f"{name}-caption").inner_text() for name in ("original", "composite", "difference")]
    assert captions == ["Original", "Denoised", "Removed, original minus denoised: purple below, orange above zero"]
    meta = json.loads(report_texts(report.read_text())[0])
    low, high = meta["display"]["low"], meta["display"]["high"]
    for name, values in (("original", before), ("composite", after)):
        shown = np.array(page.pixels(name)["data"]).reshape(ROWS, COLUMNS, 4)
        expected = np.clip(np.floor((values[20] - low) / (high - low) * 255 + 0.5), 0, 255)
        assert (shown[..., 0] == expected).all(), name
    assert len(np.unique(page.pixels("difference")["data"])) > 10
    assert check(case, page.reading()) == (20, 32, 40)
    page.part("reading").scroll_into_view_if_needed()
    box = page.part("difference").locator("canvas").bounding_box()
    for row, column in ((0, 0), (41, 17), (63, 79)):
        across, down = (column + 0.5) / COLUMNS * box["width"], (row + 0.5) / ROWS * box["height"]
        page.page.mouse.move(box["x"] + across, box["y"] + down)
        assert check(case, page.reading()) == (20, row, column)
    marks = [
        page.part(name).locator("i.across").evaluate("mark => mark.style.top") for name in ("original", "composite")
    ]
    assert marks[0] == marks[1] != ""


def test_keys_views_and_windows_are_those_of_any_report(case, watched):
    page = watched(case[0], planes=2)
    page.part("panels").focus()
    assert check(case, page.press("PageUp", "ArrowRight", "Shift+ArrowUp")) == (21, 22, 41)
    page.part("view-1-input").check()
    page.part("panels").focus()
    assert check(case, page.press("Home"))[1] == 0
    # There is one series beside the original, and no basis vector.
    assert not page.part("composites").is_visible() and page.part("vector").count() == 0
    assert page.page.locator("#browser").inner_text().count("Composite") == 0
    page.part("view-0-input").check()
    bone = page.part("windows").locator("option", has_text="Bone").get_attribute("value")
    page.part("windows").select_option(bone)
    assert (page.part("level").input_value(), page.part("width").input_value()) == ("480", "2500")
    shown = np.array(page.pixels("composite")["data"]).reshape(ROWS, COLUMNS, 4)
    expected = np.clip(np.floor((case[2][21] - (480 - 1250)) / 2500 * 255 + 0.5), 0, 255)
    assert (shown[..., 0] == expected).all()
    sigma = json.loads((case[0].parent / "manifest.json").read_text())["effect"]["before"]["sigma"]
    assert float(page.part("reach").input_value()) == round(4 * sigma)
    assert page.problems == []


def test_without_script_the_still_pictures_are_there(case, watched):
    page = watched(case[0], java_script_enabled=False)
    assert not page.page.locator("#browser").is_visible() and page.page.locator("figure img").count() == 2


def decoded(text, original):
    """The encoding of docs/report.md, of one block that is all of the scan."""
    data = base64.b64decode(text)
    (length,) = struct.unpack("<I", data[:4])
    assert length == len(data) - 4
    found = np.frombuffer(zlib.decompress(data[4:]), np.uint8).astype(int).reshape(2, -1)
    folded = found[0] | (found[1] << 8)
    steps = ((folded >> 1) ^ -(folded & 1)).reshape(-1, ROWS * COLUMNS)
    if original is not None:
        return original + steps
    values = np.zeros_like(steps)
    for z in range(len(steps)):
        for i in range(ROWS * COLUMNS):
            left = values[z, i - 1] if i else None
            below = values[z - 1, i] if z else None
            if left is not None and below is not None:
                expected = sorted((left, below, left + below - values[z - 1, i - 1]))[1]
            else:
                expected = next((one for one in (left, below) if one is not None), 0)
            values[z, i] = expected + steps[z, i]
    return values


def test_both_planes_hold_the_series(case):
    report, before, after = case
    text, *planes = report_texts(report.read_text())
    meta = json.loads(text)
    assert len(planes) == 2 and (meta["step"], meta["slice_step"], meta["block_rows"]) == (1, 1, ROWS * COLUMNS)
    ((slope, intercept, offset),) = meta["rescale"]
    original = decoded(planes[0], None)
    assert ((original + offset) * slope + intercept == before.reshape(40, -1)).all()
    assert ((decoded(planes[1], original) + offset) * slope + intercept == after.reshape(40, -1)).all()
