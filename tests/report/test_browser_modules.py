"""The modules of the report's browser, each by itself."""

import base64
import struct
import zlib

import numpy as np
import pytest

from running import ROOT

MODULES = ROOT / "native/pipeline/src/output/report/browser"
HOST = "http://modules.invalid"


@pytest.fixture(scope="module")
def modules(chromium):
    """Evaluates a function of all modules' exports, in a page to which the test gives the files itself."""
    page = chromium.new_page()

    def fulfill(route):
        name = route.request.url.rsplit("/", 1)[1]
        if name == "":
            route.fulfill(body="<!doctype html><title>modules</title>", content_type="text/html")
        else:
            route.fulfill(body=(MODULES / name).read_text(), content_type="text/javascript")

    page.route(f"{HOST}/**", fulfill)
    page.goto(f"{HOST}/")

    def evaluate(function, argument=None):
        names = ["codec", "volume", "basis", "shades", "plots", "reading"]
        imports = ", ".join(f'...await import("{HOST}/{name}.js")' for name in names)
        return page.evaluate(f"async (argument) => ({function})({{ {imports} }}, argument)", argument)

    yield evaluate
    page.close()


META = {
    "rows": 6,
    "columns": 4,
    "slices": 5,
    "step": 1,
    "slice_step": 1,
    "block_rows": 4096,
    "pixel_spacing_mm": [0.5, 0.8],
    "slice_spacing_mm": 3.0,
    "orientation": [1, 0, 0, 0, 1, 0],
    "unit": "HU",
    "rescale": [[1, -1024, 0]],
}


def views(modules, **changed):
    return modules("({ Volume, viewsOf }, meta) => viewsOf(new Volume(meta))", {**META, **changed})


def test_axial_slices_are_seen_from_the_feet_with_the_head_up_in_the_other_views(modules):
    axial, coronal, sagittal = views(modules)
    assert [view["name"] for view in (axial, coronal, sagittal)] == ["Axial", "Coronal", "Sagittal"]
    assert axial["letters"] == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    assert coronal["letters"] == {"left": "R", "right": "L", "top": "H", "bottom": "F"}
    assert sagittal["letters"] == {"left": "A", "right": "P", "top": "H", "bottom": "F"}
    assert coronal["turned"] and sagittal["turned"] and not axial["turned"]


def test_other_orientations_have_the_names_and_letters_of_the_body(modules):
    # Of a coronal series: rows run to the left, columns to the feet; slices follow toward the back.
    first, *others = views(modules, orientation=[1, 0, 0, 0, 0, -1])
    assert first["name"] == "Coronal"
    assert first["letters"] == {"left": "R", "right": "L", "top": "H", "bottom": "F"}
    assert [view["name"] for view in others] == ["Axial", "Sagittal"]
    # Without a direction nothing is claimed.
    assert {letter for view in views(modules, orientation=[0] * 6) for letter in view["letters"].values()} == {""}


def test_pictures_have_the_proportions_of_the_body(modules):
    axial, coronal, sagittal = views(modules, step=2)
    # Two columns and three rows of samples, every 1.6 and 1 mm; five slices every 3 mm.
    assert axial["aspect"] == pytest.approx(3.2 / 3.0)
    assert coronal["aspect"] == pytest.approx(3.2 / 15)
    assert sagittal["aspect"] == pytest.approx(3.0 / 15)


def test_shades_are_those_of_the_still_pictures(modules):
    shades = modules("({ shade }) => [-3000, -100, 0.4, 155, 9000].map((value) => shade(value, -100, 155))")
    assert shades == [0, 0, 100, 255, 255]
    colors = modules("({ colorsOf }, text) => [0, 1].map(colorsOf(text))", "2d004b7f3b08")
    assert colors == [[0x2D, 0, 0x4B], [0x7F, 0x3B, 0x08]]


@pytest.mark.parametrize(("slope", "least", "greatest"), [(1, " or less", " or more"), (-1, " or more", " or less")])
def test_a_composite_at_an_end_of_16_bits_may_be_beyond_it(modules, slope, least, greatest):
    sentences = """({ Volume, sentence }, meta) => {
      const volume = new Volume(meta);
      volume.planes = [[0, 5, -32768], [-32768, 32767, 7]].map((plane) => Int16Array.from(plane));
      return [0, 1, 2].map((x) => sentence(volume, { plane: 1, k: 3 }, x, 0, 0));
    }"""
    meta = {**META, "rows": 1, "columns": 3, "slices": 1, "rescale": [[slope, 0, 0]]}
    low, high, inside = modules(sentences, meta)
    sign = ("\u2212", "") if slope > 0 else ("", "\u2212")
    assert f"composite of k = 3: {sign[0]}32768 HU{least}; " in low and low.endswith(f" HU{greatest}.")
    assert f"composite of k = 3: {sign[1]}32767 HU{greatest}; " in high and high.endswith(f" HU{least}.")
    assert " or " not in inside


def test_values_at_the_ends_are_counted_in_words(modules):
    words = modules("({ endsWords }) => [0, undefined, 1, 8].map((count) => endsWords(count, 2))")
    assert words[:2] == ["", ""]
    assert words[2].startswith("Of k = 2, 1 value is at an end") and words[3].startswith("Of k = 2, 8 values are at")


def test_numbers_read_as_they_are(modules):
    figures = "({ figure }) => [0, -0, -1024, 0.1 + 0.2, 1e-9, 65535].map(figure)"
    assert modules(figures) == ["0", "0", "\u22121024", "0.3", "1e\u22129", "65535"]
    assert modules("({ brief }) => [0, 123456, 1234, 0.00012, 0.12345].map(brief)") == [
        "0",
        "1.2e+5",
        "1230",
        "1.2e-4",
        "0.123",
    ]


def test_a_damaged_volume_is_an_error(modules):
    message = """async ({ Volume }, meta) => {
      try { await new Volume(meta).load([() => "BQAAAAECAw=="]); return "no error"; } catch (error) { return error.message; }
    }"""
    assert modules(message, META) == "a piece of the volume is incomplete"
    # A zlib stream with a wrong checksum.
    damaged = message.replace("BQAAAAECAw==", "CQAAAHicYwAAAAIAAg==")
    assert modules(damaged, META) != "no error"


def test_a_plane_may_be_in_several_texts_and_no_row_block_may_be_missing_or_too_many(modules):
    said = """async ({ eachBlock }, texts) => {
      const found = [];
      const take = (bytes, block) => found.push([block, ...bytes]);
      const error = await eachBlock(texts.map((text) => () => text), [1, 1, 1], take).catch((error) => error.message);
      return [found, error ?? "none"];
    }"""
    text = lambda *blocks: base64.b64encode(b"".join(struct.pack("<I", len(b)) + b for b in blocks)).decode()  # noqa: E731
    first, second, third = (zlib.compress(bytes([i, i + 1])) for i in (1, 5, 9))
    together = [[[0, 1, 2], [1, 5, 6], [2, 9, 10]], "none"]
    assert modules(said, [text(first, second, third)]) == together
    assert modules(said, [text(first), text(second, third)]) == together
    assert modules(said, [text(first), text(second)])[1] == "row blocks of the volume are missing"
    assert modules(said, [text(first, second, third, first)])[1] == "there are more row blocks than the scan has"


def test_entries_of_basis_vectors_are_float32(modules):
    u = np.array([1.5, -2.25e-5, 0.0, 3e-8, -1.0, 7.7], "<f4")
    data = u.view(np.uint8).reshape(-1, 4).T.ravel().tolist()
    assert modules("({ floats }, bytes) => [...floats(Uint8Array.from(bytes))]", data) == u.tolist()
