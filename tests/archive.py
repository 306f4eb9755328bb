"""A small archive: synthetic series of several sizes, some of which cannot be used, and what lies beside them."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pydicom

from anatomy import Phantom
from make_ct_series import hu_slices, write_series
from running import FILE_PREFIX, described, made_scan, secrets

ROWS, COLUMNS = 70, 60
GOOD = range(5, 12)  # slices of each
SCOUTED = 16  # of the one beside which a localizer lies
CUT = 13  # usable ones of the series with a truncated file


def make_archive(folder):
    """Writes it; returns what identifies its patient."""
    hidden = []
    for slices in GOOD:
        scan, _ = made_scan(folder / f"{FILE_PREFIX}{slices}", slices=slices, rows=ROWS, columns=COLUMNS, seed=slices)
        hidden += secrets(scan)
    scan, paths = made_scan(folder / "cut", slices=CUT + 1, rows=ROWS, columns=COLUMNS, seed=CUT)
    paths[3].write_bytes(paths[3].read_bytes()[:-100])
    hidden += secrets(scan)
    scan = described(SCOUTED, ROWS, COLUMNS)
    names = [f"{FILE_PREFIX}_{i}" for i in range(SCOUTED)]
    pixels = hu_slices(Phantom(), SCOUTED, ROWS, COLUMNS, SCOUTED)
    write_series(folder / "scouted", scan, pixels, names, with_localizer=True)
    hidden += secrets(scan)
    (folder / "notes.txt").write_text("not DICOM")
    return hidden


def index(output):
    """The rows of an index, the series with most pixels first."""
    return pq.read_table(output / "index.parquet").to_pylist()


def by_slices(output):
    """Rows of an index by their numbers of slices: in the archive, these are unique."""
    return {row["slices"]: row for row in index(output)}


def root(folder):
    return json.loads((folder / "manifest.json").read_text())["digests"]["root"]


def change_a_pixel(series):
    """Of the first file of a series."""
    path = sorted(Path(series).iterdir())[0]
    dataset = pydicom.dcmread(path)
    pixels = np.frombuffer(dataset.PixelData, np.uint16).copy()
    pixels[pixels.size // 2] ^= 1
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path)
