"""The basis vectors in the report: one looks through them with slider, keys and pointer, and reads what the tables hold."""

import re
from functools import cache

import numpy as np
import pytest

from oracle import result
from results import report_data
from running import decompose, made_scan

SAID = re.compile(
    r"Basis vector (\d+), row (\d+), column (\d+): (\S+); weight in slice (\d+): (\S+); "
    r"this adds (\S+) HU to slice (\d+) there\."
)


@cache
def tables(folder):
    found = result.read(folder)
    return found.u.reshape(found.manifest["series"]["rows"], -1, len(found.s)), found.s, found.v


def made(base, slices, rows, columns, *options):
    made_scan(base / "scan", slices=slices, rows=rows, columns=columns)
    run = decompose("--input", base / "scan", "--output", base / "result", *options)
    assert run.code == 0, run.err
    return base / "result"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return made(tmp_path_factory.mktemp("vectors"), 24, 120, 160, "--composite", "3,10")


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    """One of whose basis vectors only some entries are in the page."""
    composites = "2,4,8,12,16,20,24,28,32,36"
    return made(tmp_path_factory.mktemp("sampled"), 40, 300, 310, "--composite", composites)


def number(text):
    return float(text.replace("\u2212", "-"))


def reading(page):
    page.drawn()
    return page.part("vector-reading").inner_text()


def check(folder, said):
    """Asserts that a sentence at the cursor is true; returns vector, row, column and slice, from 0."""
    u, s, v = tables(folder)
    found = SAID.fullmatch(said)
    assert found, said
    j, row, column, slice_ = (int(found[i]) - 1 for i in (1, 2, 3, 5))
    assert found[5] == found[8]
    entry, weight, added = (number(found[i]) for i in (4, 6, 7))
    near = lambda value, true: abs(value - true) <= 6e-7 * abs(true)  # noqa: E731
    assert near(entry, u[row, column, j]) and near(weight, v[slice_, j]), (said, u[row, column, j], v[slice_, j])
    assert near(added, s[j] * u[row, column, j] * v[slice_, j]), said
    return j, row, column, slice_


def test_a_basis_vector_is_drawn_as_the_tables_have_it(whole, watched):
    page = watched(whole / "report.html", planes=3)
    assert page.problems == []
    u, s, _ = tables(whole)
    meta, _ = report_data(whole / "report.html")
    colors = np.array([int(meta["colors"][i : i + 2], 16) for i in range(0, 6 * 256, 2)]).reshape(256, 3)
    reach = 4 / np.sqrt(120 * 160)
    for j in (0, 6, 19):
        page.part("vector").fill(str(j + 1))
        shown = page.pixels("basis")
        assert (shown["width"], shown["height"]) == (160, 120)
        shown = np.array(shown["data"]).reshape(120, 160, 4)
        entries = u[..., j].astype(np.float32).astype(float)
        bytes_ = np.clip(np.floor((entries + reach) / (2 * reach) * 255 + 0.5), 0, 255).astype(int)
        assert (shown[..., :3] == colors[bytes_]).all() and (shown[..., 3] == 255).all()
        assert len(np.unique(bytes_)) > 20
        words = page.part("vector-words").inner_text()
        found = re.fullmatch(r"(\d+) of 20: s = (\S+), (\S+) % of the energy", words)
        assert int(found[1]) == j + 1 and float(found[2]) == pytest.approx(s[j], rel=1e-6)
        energy = result.read(whole).manifest["result"]["energy"]
        assert float(found[3]) == pytest.approx(100 * s[j] ** 2 / energy, abs=0.006)
        assert page.part("vector").get_attribute("aria-valuetext") == words
    # A web browser warns of reading pictures back, which only this test does.
    assert [problem for problem in page.problems if "willReadFrequently" not in problem] == []
    assert page.requests == [(whole / "report.html").as_uri()]
    assert "The first 20 of the" in page.page.locator("#browser").inner_text()


def test_keys_alone_look_through_the_basis_vectors(whole, watched):
    page = watched(whole / "report.html", planes=3)
    page.part("vector-panel").focus()
    assert check(whole, reading(page)) == (0, 60, 80, 12)
    for key, place in {
        "PageUp": (1, 60, 80),
        "ArrowLeft": (1, 60, 79),
        "ArrowDown": (1, 61, 79),
        "Shift+ArrowUp": (1, 51, 79),
        "Shift+ArrowRight": (1, 51, 89),
        "Shift+PageUp": (11, 51, 89),
        "PageDown": (10, 51, 89),
        "End": (19, 51, 89),
        "Home": (0, 51, 89),
    }.items():
        page.page.keyboard.press(key)
        assert check(whole, reading(page))[:3] == place, key
    # The slider is the web browser's own control.
    page.part("vector").focus()
    page.page.keyboard.press("ArrowRight")
    assert check(whole, reading(page))[0] == 1
    # The keys of one part leave the other alone.
    assert "row 61, column 81" in page.reading()
    assert page.problems == []


def test_wheel_and_pointer_do_the_same(whole, watched):
    page = watched(whole / "report.html", planes=3)
    page.part("basis").scroll_into_view_if_needed()
    box = page.part("basis").locator("canvas").bounding_box()
    for row, column in ((0, 0), (84, 64), (119, 159)):
        across, down = (column + 0.5) / 160 * box["width"], (row + 0.5) / 120 * box["height"]
        page.page.mouse.move(box["x"] + across, box["y"] + down)
        assert check(whole, reading(page))[:3] == (0, row, column)
    page.page.mouse.wheel(0, 100)
    assert check(whole, reading(page))[0] == 1
    page.page.mouse.wheel(0, -100)
    page.page.mouse.wheel(0, -100)
    assert check(whole, reading(page))[0] == 0
    down, across = result.read(whole).manifest["series"]["pixel_spacing_mm"]
    assert box["width"] / box["height"] == pytest.approx(160 * across / (120 * down), rel=0.02)


def test_the_weights_beside_it_follow_the_slice_that_is_shown(whole, watched):
    page = watched(whole / "report.html", planes=3)
    page.part("vector").fill("3")
    page.part("slice").fill("5")
    assert check(whole, reading(page)) == (2, 60, 80, 5)
    label = page.part("weights").get_attribute("aria-label")
    assert label.startswith("Weights of basis vector 3 in 24 slices; in slice 6 it is ")
    assert float(label.rsplit(" ", 1)[1]) == pytest.approx(tables(whole)[2][5, 2], rel=1e-3)


def test_of_a_larger_scan_some_entries_are_there_and_are_those_of_their_pixels(sampled, watched):
    page = watched(sampled / "report.html", planes=11)
    step = report_data(sampled / "report.html")[0]["basis"]["step"]
    assert step > 1 and f"at one pixel in {step} of one row in {step}" in page.page.locator("#browser").inner_text()
    page.part("vector-panel").focus()
    for key in ("End", "ArrowRight", "Shift+ArrowDown"):
        page.page.keyboard.press(key)
        _, row, column, _ = check(sampled, reading(page))
        assert row % step == 0 and column % step == 0
    assert page.problems == []


def test_a_full_report_has_every_pixel_and_most_basis_vectors(sampled, watched, tmp_path):
    scan = sampled.parent / "scan"
    options = ["--input", scan, "--composite", "2,36", "--rank", "38"]
    run = decompose(*options, "--output", tmp_path / "full", "--report", "full")
    assert run.code == 0, run.err
    report = tmp_path / "full/report.html"
    meta, planes = report_data(report)
    assert (meta["step"], meta["slice_step"], meta["basis"]["step"], len(planes)) == (1, 1, 1, 3)
    assert len(meta["weights"]) == 38 and len(meta["basis"]["shares"]) == 38
    manifest = result.read(tmp_path / "full").manifest
    assert manifest["parameters"]["report"] == "full"
    page = watched(report, planes=3)
    assert "Every pixel of every slice." in page.page.locator("#browser").inner_text()
    assert (page.pixels("original")["width"], page.pixels("basis")["height"]) == (310, 300)
    page.part("vector-panel").focus()
    page.page.keyboard.press("End")
    page.page.keyboard.press("ArrowRight")
    assert check(tmp_path / "full", reading(page))[:3] == (37, 150, 156)
    assert page.problems == [] and page.requests == [report.as_uri()]
    # The report is all that it changes.
    run = decompose(*options, "--output", tmp_path / "small")
    assert run.code == 0, run.err
    small = result.read(tmp_path / "small").manifest
    assert small["digests"] == manifest["digests"] and "report" not in small["parameters"]
    assert report.stat().st_size > 2 * (tmp_path / "small/report.html").stat().st_size
