"""The report in a web browser: what it shows is what the tables hold; it needs no network, no pointer and, for the still pictures, no
script."""

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from oracle import result
from results import report_data
from running import ROOT, decompose, made_scan

SAID = re.compile(
    r"Slice (\d+) of (\d+), row (\d+), column (\d+): original (\S+) HU; composite of k = (\d+): (\S+) HU; "
    r"original minus composite (\S+) HU\."
)


@dataclass(frozen=True)
class Case:
    folder: Path
    hu: np.ndarray
    """Slices x rows x columns, as the files hold them."""

    @property
    def report(self):
        return self.folder / "report.html"

    @property
    def composites(self):
        return [one["k"] for one in result.read(self.folder).manifest["result"]["composites"]]

    def composite(self, k):
        """A composite, in HU, from the tables."""
        found = result.read(self.folder)
        return ((found.u[:, :k] * found.s[:k]) @ found.v[:, :k].T).T.reshape(self.hu.shape)


def case_of(base, slices, rows, columns, composites):
    import pydicom

    scan, paths = made_scan(base / "scan", slices=slices, rows=rows, columns=columns)
    run = decompose("--input", base / "scan", "--output", base / "result", "--composite", composites)
    assert run.code == 0, run.err
    hu = np.stack([pydicom.dcmread(path).pixel_array.astype(int) + scan.storage.intercept for path in paths])
    return Case(base / "result", hu)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A scan that is in its report as a whole."""
    return case_of(tmp_path_factory.mktemp("whole"), 24, 120, 160, "3,10")


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    """One of which every second pixel of every second row is."""
    return case_of(tmp_path_factory.mktemp("sampled"), 40, 300, 310, "2,4,8,12,16,20,24,28,32,36")


def number(text):
    return float(text.replace("\u2212", "-"))


def check(case, said, k):
    """Asserts that a sentence at the cursor is true; returns slice, row and column, from 0."""
    found = SAID.fullmatch(said)
    assert found, said
    place = tuple(int(found[i]) - 1 for i in (1, 3, 4))
    original, composite, difference = (number(found[i]) for i in (5, 7, 8))
    assert int(found[2]) == len(case.hu) and int(found[6]) == k
    assert original == case.hu[place], said
    exact = case.composite(k)[place]
    assert abs(composite - exact) <= 0.5 + 1e-6 and composite == round(composite), (said, exact)
    assert difference == original - composite, said
    return place


def test_it_draws_and_asks_nothing_of_a_network(whole, watched):
    page = watched(whole.report, planes=3)
    assert page.problems == [] and page.requests == [whole.report.as_uri()]
    original = np.array(page.pixels("original")["data"]).reshape(120, 160, 4)
    manifest = result.read(whole.folder).manifest
    low, high = manifest["series"]["display"]["low"], manifest["series"]["display"]["high"]
    expected = np.clip(np.floor((whole.hu[12] - low) / (high - low) * 255 + 0.5), 0, 255)
    assert (original[..., 0] == expected).all() and (original[..., 3] == 255).all()
    for name in ("composite", "difference"):
        assert len(np.unique(page.pixels(name)["data"])) > 10
    assert page.part("composites").locator("option").all_inner_texts() == ["k = 3", "k = 10"]


def test_the_cursor_reads_what_files_and_tables_hold(whole, watched):
    page = watched(whole.report, planes=3)
    check(whole, page.reading(), 3)
    page.part("reading").scroll_into_view_if_needed()
    box = page.part("difference").locator("canvas").bounding_box()
    for row, column in ((0, 0), (84, 64), (119, 159)):
        across, down = (column + 0.5) / 160 * box["width"], (row + 0.5) / 120 * box["height"]
        page.page.mouse.move(box["x"] + across, box["y"] + down)
        assert check(whole, page.reading(), 3) == (12, row, column)
    page.part("composites").select_option(label="k = 10")
    check(whole, page.reading(), 10)


def test_samples_are_the_pixels_that_they_say_they_are(sampled, watched):
    page = watched(sampled.report, planes=11)
    text = page.page.locator("#browser").inner_text()
    assert "one pixel in 2 of one row in 2 of every slice: 150 x 155 pixels for 300 x 310" in text
    for view in range(3):
        page.part(f"view-{view}-input").check()
        for name in ("original", "composite"):
            box = page.part(name).bounding_box()
            for across, down in ((0.3, 0.2), (0.8, 0.9)):
                page.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
                place = check(sampled, page.reading(), 2)
                assert place[1] % 2 == 0 and place[2] % 2 == 0
    assert page.problems == []


def test_all_planes_hold_the_matrix_and_its_composites(sampled):
    """The encoding, decoded by its definition in docs/format.md."""
    meta, planes = report_data(sampled.report)
    step, shape = meta["step"], sampled.hu.shape
    assert (step, meta["slice_step"], len(planes)) == (2, 1, 11)
    original = decoded(planes[0], None, shape, step)
    assert (original + meta["rescale"][0][1] + meta["rescale"][0][2] == sampled.hu[:, ::step, ::step]).all()
    for plane, k in list(zip(planes[1:], sampled.composites, strict=True))[::4]:
        found = decoded(plane, original, shape, step) + meta["rescale"][0][1] + meta["rescale"][0][2]
        assert np.abs(found - sampled.composite(k)[:, ::step, ::step]).max() <= 0.5 + 1e-6


def decoded(text, original, shape, step):
    import struct
    import zlib

    data, (slices, rows, columns) = base64.b64decode(text), shape
    pixels = [y * columns + x for y in range(0, rows, step) for x in range(0, columns, step)]
    flat, first, at, block = np.zeros((slices, len(pixels)), int), 0, 0, 0
    from_original = None if original is None else original.reshape(slices, -1)
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        raw = np.frombuffer(zlib.decompress(data[at + 4 : at + 4 + length]), np.uint8).astype(int)
        folded = raw[: len(raw) // 2] | raw[len(raw) // 2 :] << 8
        values = ((folded >> 1) ^ -(folded & 1)).reshape(slices, -1)
        count = sum(block * 4096 <= pixel < (block + 1) * 4096 for pixel in pixels)
        assert values.shape[1] == count
        part = slice(first, first + count)
        if from_original is None:
            for z in range(slices):
                for i in range(count):
                    left = values[z, i - 1] if i else None
                    before = values[z - 1, i] if z else None
                    if i and z:
                        corner = values[z - 1, i - 1]
                        expected = sorted((left, before, left + before - corner))[1]
                    else:
                        expected = left if i else before if z else 0
                    values[z, i] = wrapped(values[z, i] + expected)
        else:
            values = wrapped(values + from_original[:, part])
        flat[:, part] = values
        first, at, block = first + count, at + 4 + length, block + 1
    assert first == len(pixels)
    return flat.reshape(slices, -(-rows // step), -(-columns // step))


def wrapped(values):
    return (values + 32768) % 65536 - 32768


def test_keys_alone_reach_and_move_everything(whole, watched):
    page = watched(whole.report, planes=3)
    reached = []
    for _ in range(40):
        page.page.keyboard.press("Tab")
        reached.append(page.page.evaluate("document.activeElement.dataset.part ?? null"))
        if reached[-1] == "vector-panel":
            break
    order = "view-0-input composites windows level width reach smooth slice panels vector vector-panel".split()
    assert [name for name in reached if name] == order
    page.part("panels").focus()
    slice_, row, column = check(whole, page.reading(), 3)
    for key, place in {
        "ArrowRight": (0, 0, 1),
        "ArrowDown": (0, 1, 1),
        "Shift+ArrowRight": (0, 1, 11),
        "ArrowUp": (0, 0, 11),
        "Shift+ArrowLeft": (0, 0, 1),
        "PageUp": (1, 0, 1),
        "PageDown": (0, 0, 1),
    }.items():
        assert check(whole, page.press(key), 3) == tuple(np.add((slice_, row, column), place)), key
    assert check(whole, page.press("End"), 3)[0] == 23
    assert check(whole, page.press("PageUp"), 3)[0] == 23
    assert check(whole, page.press("Home"), 3)[0] == 0
    # The slider, the views and the lists are the web browser's own controls.
    page.part("slice").focus()
    assert check(whole, page.press("ArrowRight"), 3)[0] == 1
    page.part("view-0-input").focus()
    assert check(whole, page.press("ArrowRight"), 3)[0] == 1
    assert page.part("slice-words").inner_text() == f"Coronal: row {row + 1} of 120"
    page.part("panels").focus()
    # The head is at the top: up is to the next slice.
    assert check(whole, page.press("ArrowUp"), 3)[0] == 2
    assert page.problems == []


def test_the_wheel_and_the_slider_go_from_slice_to_slice(whole, watched):
    page = watched(whole.report, planes=3)
    page.part("original").hover()
    page.page.mouse.wheel(0, 100)
    assert check(whole, page.reading(), 3)[0] == 13
    page.part("slice").fill("5")
    assert check(whole, page.reading(), 3)[0] == 5
    assert page.part("slice").get_attribute("aria-valuetext") == "Axial: slice 6 of 24"
    assert (
        page.part("weights")
        .get_attribute("aria-label")
        .startswith("Weights of basis vector 1 in 24 slices; in slice 6")
    )


@pytest.mark.parametrize(("view", "size"), [(0, (160, 120)), (1, (160, 24)), (2, (120, 24))])
def test_views_have_the_proportions_of_the_scan(whole, watched, view, size):
    page = watched(whole.report, planes=3)
    page.part(f"view-{view}-input").check()
    shown = page.pixels("original")
    assert (shown["width"], shown["height"]) == size
    series = result.read(whole.folder).manifest["series"]
    (down, across), along = series["pixel_spacing_mm"], series["slice_spacing_mm"]
    mm = [(160 * across, 120 * down), (160 * across, 24 * along), (120 * down, 24 * along)][view]
    box = page.part("original").locator("canvas").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(mm[0] / mm[1], rel=0.02)
    data = np.array(shown["data"]).reshape(shown["height"], shown["width"], 4)[..., 0]
    planes = [whole.hu[12], whole.hu[::-1, 60], whole.hu[::-1, :, 80]][view]
    assert np.corrcoef(data.ravel(), np.clip(planes, *window(series)).ravel())[0, 1] > 0.999


def window(series):
    return series["display"]["low"], series["display"]["high"]


def test_windows_are_the_usual_ones_or_ones_own(whole, watched):
    page = watched(whole.report, planes=3)
    for name, level, width in (("Lung", -600, 1500), ("Soft tissue", 40, 400), ("Bone", 480, 2500), ("Brain", 40, 80)):
        page.part("windows").select_option(label=name)
        assert [page.part(part).input_value() for part in ("level", "width")] == [str(level), str(width)]
        shown = np.array(page.pixels("original")["data"]).reshape(120, 160, 4)[..., 0]
        expected = np.clip(np.floor((whole.hu[12] - level + width / 2) / width * 255 + 0.5), 0, 255)
        assert (shown == expected).all(), name
    page.part("width").fill("100")
    page.part("width").press("Enter")
    page.drawn()
    assert page.part("windows").evaluate("(list) => list.selectedOptions[0].text") == "Own"
    # What is no window changes nothing.
    page.part("width").fill("-5")
    page.part("width").press("Enter")
    assert page.part("width").input_value() == "100"


def test_spectrum_and_weights_are_those_of_the_tables(whole):
    found, (meta, _) = result.read(whole.folder), report_data(whole.report)
    assert meta["s"] == found.s.tolist() and meta["rank"] == len(found.s)
    assert np.array_equal(np.array(meta["weights"]), found.v.T[: len(meta["weights"])])
    assert [one["k"] for one in meta["composites"]] == [3, 10]


def test_the_automatic_rank_is_that_of_rank_auto(whole, tmp_path):
    meta, _ = report_data(whole.report)
    options = ("--input", whole.folder.parent / "scan", "--emit", "parquet,report")
    run = decompose(*options, "--output", tmp_path / "auto", "--rank", "auto")
    assert run.code == 0, run.err
    assert (
        meta["automatic"]
        == len(result.read(tmp_path / "auto").s)
        == report_data(tmp_path / "auto/report.html")[0]["automatic"]
    )
    run = decompose(*options, "--output", tmp_path / "five", "--rank", "5")
    assert run.code == 0, run.err
    assert report_data(tmp_path / "five/report.html")[0]["automatic"] is None
    assert "not all singular values were computed" in (tmp_path / "five/report.html").read_text()


def test_without_script_the_still_pictures_are_there(whole, watched):
    page = watched(whole.report, java_script_enabled=False)
    assert not page.page.locator("#browser").is_visible()
    for alternative in ("The middle slice", "Original minus composite", "Two plots", "The first basis vectors"):
        assert page.page.locator(f'img[alt^="{alternative}"]').is_visible()
    text = page.page.locator("main").inner_text()
    manifest = result.read(whole.folder).manifest
    for said in (
        manifest["digests"]["root"],
        "tomobasis verify RESULT_FOLDER --input DICOM_FOLDER",
        "proved that every singular value",
        "not meant for diagnosis",
        "Problems found in the input",
    ):
        assert said in text, said


def test_printed_it_is_the_still_pictures_on_white(whole, watched):
    page = watched(whole.report, planes=3, color_scheme="dark")
    page.page.emulate_media(media="print")
    assert not page.page.locator("#browser").is_visible()
    assert page.page.locator('img[alt^="The middle slice"]').is_visible()
    assert page.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


# Contrast of text and of the edges of controls by WCAG 2.2 (1.4.3, 1.4.11), with their nearest background.
CONTRASTS = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = color.slice(0, 3).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] > 0) return light(color);
    }
    return 1;
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const style = getComputedStyle(element);
    if (!element.checkVisibility() || ["SCRIPT", "OPTION"].includes(element.tagName)) continue;
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const color = element instanceof SVGElement ? style.fill : style.color;
    const text = own ? ratio(light(parse(color)), behind(element)) : 21;
    if (text < 4.5) low.push([element.outerHTML.slice(0, 60), text]);
    if (element.matches("select, input[type=number]")) {
      const edge = ratio(light(parse(style.borderTopColor)), behind(element.parentElement));
      if (edge < 3) low.push([element.outerHTML.slice(0, 60), edge]);
    }
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_in_light_and_dark(whole, watched, scheme):
    page = watched(whole.report, planes=3, color_scheme=scheme)
    white = page.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert white == (scheme == "light")
    assert page.page.evaluate(CONTRASTS) == []


def test_every_control_and_picture_has_a_name(whole, watched):
    page = watched(whole.report, planes=3)
    nameless = """() => [...document.querySelectorAll("input, select, canvas, svg, img, [tabindex]")].filter((element) =>
      !(element.labels?.length && element.labels[0].innerText.trim()) && !element.ariaLabel && !element.alt)
      .map((element) => element.outerHTML)"""
    assert page.page.evaluate(nameless) == []
    assert page.page.evaluate("document.documentElement.lang") == "en"


def test_a_narrow_page_needs_no_scrolling_sideways(whole, watched):
    page = watched(whole.report, planes=3)
    for width in (360, 800, 1600):
        page.page.set_viewport_size({"width": width, "height": 800})
        page.drawn()
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_damaged_report_says_so_and_keeps_its_pictures(whole, watched, tmp_path):
    text = whole.report.read_text()
    start = text.index('data-plane="1">') + 2000
    damaged = tmp_path / "report.html"
    damaged.write_text(text[:start] + "A" * 400 + text[start + 400 :])
    page = watched(damaged)
    page.page.wait_for_selector("#browser-problem:not([hidden])")
    assert "cannot be shown" in page.page.locator("#browser-problem").inner_text()
    assert not page.page.locator("#browser").is_visible()
    assert page.page.locator('img[alt^="The middle slice"]').is_visible()


def test_no_script_but_its_own_can_run(whole, watched, tmp_path):
    text = whole.report.read_text()
    foreign = tmp_path / "report.html"
    foreign.write_text(
        text.replace(
            "</main>", "<script>document.title = 'foreign'</script><img src='x' onerror='document.title = 1'></main>"
        )
    )
    page = watched(foreign, planes=3)
    assert page.page.title() == "TomoBasis result"
    assert any("Content Security Policy" in problem for problem in page.problems)


def test_the_texts_of_a_series_stay_texts(whole):
    """What is told to the script is JSON in which no element can end."""
    text = whole.report.read_text()
    (data,) = re.findall(r'<script type="application/json" id="browser-data">(.*?)</script>', text, re.DOTALL)
    assert "<" not in data and json.loads(data)["unit"] == "HU"
    folder = ROOT / "native/pipeline/src/output/report/browser"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        set(re.findall(r"\w+\.js", (folder.parent / "script.rs").read_text()))
    )


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory):
    """A scan in 16 bits without a sign whose air is at their lower end, without a window and without spacings."""
    import pydicom

    base = tmp_path_factory.mktemp("cut")
    _, paths = made_scan(base / "scan", slices=8, rows=60, columns=80, intercept=-990, bits=16)
    for path in paths:
        dataset = pydicom.dcmread(path)
        del dataset.WindowCenter, dataset.WindowWidth, dataset.PixelSpacing
        dataset.save_as(path)
    run = decompose("--input", base / "scan", "--output", base / "result", "--composite", "2,7")
    assert run.code == 0, run.err
    return Case(base / "result", np.stack([pydicom.dcmread(path).pixel_array.astype(int) - 990 for path in paths]))


def test_a_composite_that_16_bits_cut_off_is_said_to_be(cut_off, watched):
    page = watched(cut_off.report, planes=3)
    exact = np.rint(cut_off.composite(2))
    assert (exact < -990).sum() > 100
    said = page.part("ends").inner_text()
    assert int(re.search(r"Of k = 2, (\d+) values are at an end", said)[1]) == (exact <= -990).sum()
    page.part("reading").scroll_into_view_if_needed()
    z, row, column = np.argwhere(exact < -990)[0]
    page.part("slice").fill(str(z))
    box = page.part("composite").locator("canvas").bounding_box()
    page.page.mouse.move(box["x"] + (column + 0.5) / 80 * box["width"], box["y"] + (row + 0.5) / 60 * box["height"])
    original = cut_off.hu[z, row, column]
    assert page.reading().endswith(
        f"row {row + 1}, column {column + 1}: original {original:.0f} HU; composite of k = 2: -990 HU or less; "
        f"original minus composite {original + 990:.0f} HU or more.".replace("-", "\u2212")
    )


def test_what_the_headers_do_not_say_is_not_claimed(cut_off, whole, watched):
    page = watched(cut_off.report, planes=3)
    assert page.part("windows").locator("option").first.inner_text() == "All values of the scan"
    assert "The scan does not say how large its pixels are" in page.page.locator("#browser").inner_text()
    page = watched(whole.report, planes=3)
    assert page.part("windows").locator("option").first.inner_text() == "As the scan's headers say"
    assert "does not say" not in page.page.locator("#browser").inner_text()


def test_a_share_of_the_energy_is_100_percent_for_the_whole_scan_alone(cut_off, watched):
    page = watched(cut_off.report, planes=3)
    page.part("composites").select_option(label="k = 7")
    page.drawn()
    meta, _ = report_data(cut_off.report)
    assert meta["composites"][1]["energy"] < 1
    shown = re.search(r"k = 7: (\S+) % of the energy", page.part("composite-caption").inner_text())[1]
    assert float(shown) < 100 and abs(float(shown) - 100 * meta["composites"][1]["energy"]) < 0.01


def test_the_colors_of_a_difference_are_those_of_the_still_pictures(whole):
    meta, _ = report_data(whole.report)
    assert len(meta["colors"]) == 6 * 256
    assert (meta["colors"][:6], meta["colors"][-6:]) == ("2d004b", "7f3b08")
    assert whole.report.read_text().count("2d004b") == 1, "the data have them, and no script"
