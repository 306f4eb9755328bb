"""`tomobasis render` in all its forms: the pictures are read back by Pillow and compared, pixel by pixel, with what NumPy makes of the
scan and of the result's tables."""

import re

import numpy as np
import pydicom
import pytest
from PIL import Image

from ct_image import Storage
from make_ct_series import hu_slices
from oracle import result
from running import Phantom, decompose, made_scan, tomobasis

SLICES, ROWS, COLUMNS = 24, 120, 160
# Of the synthetic scans: Window Center and Width 40, 400, as DICOM PS3.3 C.11.2.1.2.1 has it.
LOW, HIGH = 39.5 - 399 / 2, 39.5 + 399 / 2


@pytest.fixture(scope="module")
def volume(made):
    """The scan in HU, slices x rows x columns."""
    stored = np.stack([Storage().stored(hu) for _, hu in hu_slices(Phantom(), SLICES, ROWS, COLUMNS)])
    return stored.astype(int) - 1024


def composite(made, k):
    tables = result.read(made.result)
    rebuilt = (tables.v[:, :k] * tables.s[:k]) @ tables.u[:, :k].T
    return rebuilt.reshape(SLICES, ROWS, COLUMNS)


def draw(made, output, *options, scan=True):
    with_scan = ("--input", made.folder) if scan else ()
    return tomobasis("render", made.result, "--output", output, *with_scan, *options)


def drawn(made, output, *options, scan=True):
    """{name: array} of what `render` has drawn."""
    run = draw(made, output, *options, scan=scan)
    assert run.code == 0, run.err
    pictures = {path.name: np.array(Image.open(path)) for path in output.iterdir()}
    assert sorted(map(str, output.iterdir())) == sorted(run.out.split())
    return pictures


def nearest(picture, height, width):
    """Enlarged by repeating voxels: each pixel is the voxel in which its middle lies."""
    rows = (np.arange(height) + 0.5) * picture.shape[0] / height
    columns = (np.arange(width) + 0.5) * picture.shape[1] / width
    return picture[rows.astype(int)][:, columns.astype(int)]


def views(volume, made, view, index):
    """A picture of a view from slices x rows x columns, with square pixels."""
    dz, dy, dx = made.scan.spacing_mm
    picture, (y, x) = {
        "axial": lambda: (volume[index], (dy, dx)),
        "coronal": lambda: (volume[::-1, index], (dz, dx)),
        "sagittal": lambda: (volume[::-1, :, index], (dz, dy)),
    }[view]()
    side = min(x, y)
    return nearest(picture, round(picture.shape[0] * y / side), round(picture.shape[1] * x / side))


@pytest.mark.parametrize(("view", "number"), [("axial", 5), ("coronal", 31), ("sagittal", 160)])
def test_16_bits_are_the_values_in_every_view(made, volume, tmp_path, view, number):
    options = ("--as", "images", "--view", view, "--depth", "16", "--slice", number, "--composite", "3,24")
    pictures = drawn(made, tmp_path / "out", *options)
    assert sorted(pictures) == [f"{view}-{number:05}-{kind}.png" for kind in ("k=24", "k=3", "original")]
    original = pictures[f"{view}-{number:05}-original.png"]
    assert original.dtype == np.uint16
    assert np.array_equal(original.astype(int) - 32768, views(volume, made, view, number - 1))
    # All basis vectors rebuild the scan.
    assert np.array_equal(pictures[f"{view}-{number:05}-k=24.png"], original)
    right = views(composite(made, 3), made, view, number - 1)
    shown = pictures[f"{view}-{number:05}-k=3.png"].astype(int) - 32768
    assert np.abs(shown - right).max() <= 0.5 + 1e-6


def test_pictures_have_the_shape_of_the_body(made, tmp_path):
    dz, dy, dx = made.scan.spacing_mm
    depth, height, width = SLICES * dz, ROWS * dy, COLUMNS * dx
    for view, expected in {"axial": width / height, "coronal": width / depth, "sagittal": height / depth}.items():
        out = tmp_path / view
        run = draw(made, out, "--as", "images", "--view", view, "--composite", "1", scan=False)
        assert run.code == 0, run.err
        (path,) = out.iterdir()
        with Image.open(path) as picture:
            assert picture.width / picture.height == pytest.approx(expected, rel=0.02), view
            # Pillow has dots per inch.
            side = 25.4 / picture.info["dpi"][0]
            assert picture.width * side == pytest.approx(height if view == "sagittal" else width, rel=0.02)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("window", [None, (-600, 1500)])
def test_windows_are_black_to_white(made, volume, tmp_path, depth, window):
    options = ["--as", "images", "--slice", "12", "--composite", "5", "--depth", depth]
    low, high = LOW, HIGH
    if window:
        options += ["--window", f"{window[0]},{window[1]}"]
        low, high = window[0] - window[1] / 2, window[0] + window[1] / 2
    pictures = drawn(made, tmp_path / "out", *options)
    top = 255 if depth == 8 else 65535
    for name, values in (("original", volume), ("k=5", composite(made, 5))):
        picture = pictures[f"axial-00012-{name}.png"].astype(float)
        picture = nearest_of_slice(picture, made)
        if depth == 16 and not window:
            right = np.rint(values[11]) + 32768
        else:
            right = np.clip((values[11] - low) / (high - low), 0, 1) * top
        assert np.abs(picture - right).max() <= 0.5 + 1e-6, name


def nearest_of_slice(picture, made):
    """The voxels of a picture of a slice: one pixel of each."""
    rows = np.floor((np.arange(ROWS) + 0.5) * picture.shape[0] / ROWS).astype(int)
    columns = np.floor((np.arange(COLUMNS) + 0.5) * picture.shape[1] / COLUMNS).astype(int)
    return picture[rows][:, columns]


@pytest.mark.parametrize("view", ["axial", "coronal", "sagittal"])
def test_a_scroll_goes_through_all_pictures_of_a_view(made, volume, tmp_path, view):
    options = ("--as", "scroll", "--view", view, "--composite", "2", "--fps", "25")
    run = draw(made, tmp_path / "out", *options)
    assert run.code == 0, run.err
    count = {"axial": SLICES, "coronal": ROWS, "sagittal": COLUMNS}[view]
    for kind, values in (("original", volume), ("k=2", composite(made, 2))):
        with Image.open(tmp_path / "out" / f"scroll-{view}-{kind}.png") as movie:
            assert movie.is_animated and movie.n_frames == count and movie.info["loop"] == 0
            for index in range(0, count, 7):
                movie.seek(index)
                assert movie.info["duration"] == 40
                right = np.clip((views(values, made, view, index) - LOW) / (HIGH - LOW), 0, 1) * 255
                assert np.abs(np.array(movie.convert("L")) - right).max() <= 0.5 + 1e-6
    again = draw(made, tmp_path / "again", *options, "--threads", "1", "--slice", "3,90%")
    assert again.code == 0, again.err
    with Image.open(tmp_path / "again" / f"scroll-{view}-original.png") as movie:
        assert movie.n_frames == 2


def test_threads_do_not_change_pictures(made, tmp_path):
    for threads in (1, 3):
        run = draw(made, tmp_path / f"{threads}", "--as", "scroll", "--view", "sagittal", "--threads", threads)
        assert run.code == 0, run.err
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "3" / path.name).read_bytes()


def test_the_figure_has_four_panels(made, volume, tmp_path):
    run = draw(made, tmp_path / "out", "--as", "figure", "--slice", "9")
    assert run.code == 0, run.err
    figure = np.array(Image.open(tmp_path / "out/slice-00009/figure.png"))
    kept = [round(SLICES * share) for share in (0.1, 0.3, 0.81)]
    values = [volume[8], *(composite(made, k)[8] for k in kept)]
    for i, value in enumerate(values):
        # Twice as large, below title and caption.
        left = 16 + i % 2 * (2 * COLUMNS + 16)
        top = 48 + 44 + i // 2 * (44 + 2 * ROWS + 16)
        panel = figure[top : top + 2 * ROWS, left : left + 2 * COLUMNS]
        assert (panel[..., 0] == panel[..., 1]).all() and (panel[..., 0] == panel[..., 2]).all()
        right = np.clip((value - LOW) / (HIGH - LOW), 0, 1) * 255
        assert np.abs(panel[::2, ::2, 0] - right).max() <= 0.5 + 1e-6
        assert np.array_equal(panel[::2, ::2], panel[1::2, 1::2])


def test_the_figure_of_2020_takes_its_percentages(made, tmp_path):
    run = draw(made, tmp_path / "out", "--as", "figure", "--composite=-5%,-10%,-30%")
    assert run.code == 0, run.err
    assert (tmp_path / "out/figure.png").exists()
    images = drawn(
        made, tmp_path / "images", "--as", "images", "--slice", "13", "--composite=-5%,-10%,-30%", scan=False
    )
    # Of 24: Python's round(24 - 24 * 0.05), and so on.
    assert sorted(images) == ["axial-00013-k=17.png", "axial-00013-k=22.png", "axial-00013-k=23.png"]


def test_values_beyond_16_bits_are_counted(tmp_path):
    _, paths = made_scan(tmp_path / "scan", slices=5, rows=30, columns=40)
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.RescaleSlope = "40"
        dataset.save_as(path)
    run = decompose("--input", tmp_path / "scan", "--output", tmp_path / "result")
    assert run.code == 0, run.err
    options = ("--as", "images", "--depth", "16", "--slice", "2", "--composite", "1", "--input", tmp_path / "scan")
    run = tomobasis("render", tmp_path / "result", "--output", tmp_path / "out", *options)
    assert run.code == 0, run.err
    picture = np.array(Image.open(tmp_path / "out/axial-00002-original.png"))
    values = 40 * pydicom.dcmread(paths[1]).pixel_array.astype(int) - 1024
    assert np.array_equal(picture.max(), 65535) and (values > 32767).any()
    said = re.search(r"(\d+) values are outside of -32768 to 32767 HU and have the nearest level", run.err)
    assert int(said[1]) >= (values > 32767).sum()


def test_means_that_were_removed_are_in_plain_pictures(made, volume, tmp_path):
    for center in ("pixels", "slices", "both"):
        out = tmp_path / center
        run = decompose("--input", made.folder, "--output", out, "--center", center, "--emit", "parquet")
        assert run.code == 0, run.err
        options = ("--as", "images", "--view", "coronal", "--depth", "16", "--slice", "40", "--composite", "100%")
        run = tomobasis("render", out, "--input", made.folder, "--output", tmp_path / f"{center}-out", *options)
        assert run.code == 0, run.err
        for path in (tmp_path / f"{center}-out").iterdir():
            shown = np.array(Image.open(path)).astype(int) - 32768
            assert np.array_equal(shown, views(volume, made, "coronal", 39)), path.name


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--view", "coronal"), 2, "--view: it is for plain pictures; add --as images or --as scroll, or leave it out"),
        (("--as", "figure", "--depth", "16"), 2, "--depth: it is for plain pictures"),
        (("--as", "images", "--depth", "12"), 2, "'--depth <8|16>': give 8 or 16"),
        (("--as", "images", "--view", "coronal", "--slice", "121"), 2, "--slice: there is no row 121; give 1 to 120"),
        (("--as", "images", "--view", "sagittal", "--slice", "0"), 2, "--slice: there is no column 0; give 1 to 160"),
        (("--as", "images", "--window", "40"), 2, "give center and width, the width above 0, such as 40,400"),
        (("--as", "scroll", "--fps", "0"), 2, "0 is not in 1..=60"),
        (("--as", "images", "--fps", "10"), 2, "--fps: it is for animations; add --as scroll, or leave it out"),
        (("--fps", "5"), 2, "--fps: it is for animations; add --as scroll, or leave it out"),
        (
            ("--as", "figure", "--composite", "3"),
            2,
            "--composite: a figure has three composites, not k = 3; give three",
        ),
        (("--composite=-100%",), 2, "all basis vectors but the last"),
    ],
)
def test_what_cannot_be_drawn_is_one_error(made, tmp_path, options, code, says):
    run = draw(made, tmp_path / "out", *options)
    assert run.code == code and len(run.errors) == 1 and says in run.errors[0], run.err
    assert not (tmp_path / "out").exists()


def change_slopes(dataset, number):
    dataset.RescaleSlope = "2"


def change_intercepts(dataset, number):
    dataset.RescaleIntercept = "-1000"


def change_one_intercept(dataset, number):
    dataset.RescaleIntercept = "-1025" if number == 7 else "-1024"


def change_unit(dataset, number):
    dataset.RescaleType = "US"


METHODS = {
    "gram": (),
    "centered": ("--center",),
    "both": ("--center", "both"),
    "tsqr": ("--method", "tsqr"),
    "tsqr centered": ("--method", "tsqr", "--center"),
    "dssvd": ("--method", "dssvd", "--rank", "6"),
    "dspca": ("--method", "dspca", "--rank", "6"),
}
CHANGES = [(change_slopes, name) for name in METHODS] + [
    (change_intercepts, "gram"),
    (change_intercepts, "tsqr"),
    (change_intercepts, "dssvd"),
    (change_one_intercept, "gram"),
    (change_one_intercept, "centered"),
    (change_one_intercept, "tsqr centered"),
    (change_unit, "gram"),
]


@pytest.fixture(scope="module")
def by_method(made, tmp_path_factory):
    """A result of the same scan by each method."""
    base = tmp_path_factory.mktemp("methods")
    for name, options in METHODS.items():
        run = decompose("--input", made.folder, "--output", base / name, "--emit", "parquet", *options)
        assert run.code == 0, run.err
    return base


@pytest.mark.parametrize("name", METHODS)
def test_every_method_s_result_is_drawn_with_its_scan(made, by_method, volume, tmp_path, name):
    options = ("--as", "images", "--depth", "16", "--slice", "9", "--composite", "3", "--input", made.folder)
    run = tomobasis("render", by_method / name, "--output", tmp_path / "out", *options)
    assert run.code == 0, run.err
    assert ("the result does not hold the means" in run.err) == (name in ("centered", "both", "dspca", "tsqr centered"))
    shown = np.array(Image.open(tmp_path / "out/axial-00009-original.png")).astype(int) - 32768
    assert np.array_equal(shown, views(volume, made, "axial", 8))


@pytest.mark.parametrize(("change", "name"), CHANGES)
@pytest.mark.parametrize("form", ["sheets", "images"])
def test_the_same_pixels_with_other_values_are_refused(made, by_method, tmp_path, change, name, form):
    """The digest of the pixels is of stored values; slopes and intercepts are in other files' headers."""
    (tmp_path / "scan").mkdir()
    for number, path in enumerate(sorted(made.folder.iterdir())):
        dataset = pydicom.dcmread(path)
        change(dataset, number)
        dataset.save_as(tmp_path / "scan" / path.name)
    options = ("--as", form, "--input", tmp_path / "scan")
    run = tomobasis("render", by_method / name, "--output", tmp_path / "out", *options)
    says = "its values are in" if change is change_unit else "slope or intercept is another"
    assert run.code == 3 and len(run.errors) == 1 and says in run.errors[0], run.err
    assert not list((tmp_path / "out").glob("**/*.png"))


def test_a_figure_needs_the_scan(made, tmp_path):
    run = draw(made, tmp_path / "out", "--as", "figure", scan=False)
    assert run.code == 2
    assert run.errors == ["error: --as: a figure shows the scan's own slice too; add --input with the scan"]


def test_pictures_that_exist_stay_and_damage_leaves_nothing(made, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "axial-00001-k=3.png").write_bytes(b"mine")
    options = ("--as", "images", "--slice", "1", "--composite", "3")
    refused = draw(made, out, *options, scan=False)
    assert refused.code == 2 and [path.name for path in out.iterdir()] == ["axial-00001-k=3.png"]
    assert draw(made, out, *options, "--overwrite", scan=False).code == 0
    assert (out / "axial-00001-k=3.png").read_bytes() != b"mine"


def test_a_matrix_has_no_views(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(60.0).reshape(20, 3) ** 2)
    run = decompose("--input-format", "npy", "--input", tmp_path / "a.npy", "--output", tmp_path / "result")
    assert run.code == 0, run.err
    run = tomobasis("render", tmp_path / "result", "--output", tmp_path / "out", "--as", "scroll")
    assert run.code == 2 and run.errors == ["error: --as: of a matrix only the spectrum is drawn; leave it out"]
