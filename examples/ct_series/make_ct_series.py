#!/usr/bin/env python3
"""Writes a CT series of a head with realistic noise as DICOM files, for the demo and the tests.

    make_ct_series.py demo/series                                  301 slices of 512 x 512
    make_ct_series.py tiny --slices 12 --size 40x36 --source phantom

The same options give the same bytes.
"""

import argparse
import os
import random
import sys
from pathlib import Path

import numpy as np

from anatomy import head
from ct_image import TRANSFER_SYNTAXES, Scan, Storage, ct_slice, localizer, write
from noise import ct_noise


def hu_slices(source, slices, rows, columns, seed=1):
    """Yields (index, HU rounded to integers) of every slice of a head: float64 arrays of rows x columns."""
    spacing = (source.extent_mm[1] / rows, source.extent_mm[2] / columns)
    for index in range(slices):
        clean = source.slice_hu(index, slices, rows, columns).astype(np.float64)
        yield index, np.rint(clean + ct_noise(clean, spacing, seed, index))


def scan_of(source, slices, rows, columns, storage, **more):
    """The `Scan` (UIDs, spacing) of a head sampled on this grid."""
    depth, height, width = source.extent_mm
    return Scan(source.name, slices, (depth / slices, height / rows, width / columns), storage, **more)


def file_names(count, shuffled, seed=1):
    """Names in slice order, or (as on media written by an archive) in none and without an extension."""
    if not shuffled:
        return [f"IM{i + 1:04d}.dcm" for i in range(count)]
    return [f"{x:08X}" for x in random.Random(seed).sample(range(1 << 32), count)]


def write_series(folder, scan, slices, names, leave_out=(), with_localizer=False):
    """Writes `slices` ((index, HU) pairs) into `folder`, created if need be; returns the paths in slice order."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    syntax = scan.storage.transfer_syntax
    paths, lateral = [], []
    for index, hu in slices:
        lateral.append(hu.mean(axis=1))
        if index not in leave_out:
            write(ct_slice(scan, index, hu), folder / names[index], syntax)
            paths.append(folder / names[index])
    if with_localizer:
        write(localizer(scan, np.stack(lateral[::-1])), folder / "SCOUT", syntax)
    return paths


def size(text):
    """ROWSxCOLUMNS or one number for both."""
    rows, _, columns = text.partition("x")
    return int(rows), int(columns or rows)


def arguments(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", help="where the files go (renamed when complete: never half a series)")
    p.add_argument("--slices", type=int, default=301)
    p.add_argument("--size", type=size, default=(512, 512), metavar="ROWSxCOLUMNS")
    p.add_argument("--source", choices=["auto", "cranium", "phantom"], default="auto", help="auto: cranium if there")
    p.add_argument("--seed", type=int, default=1, help="of the noise")
    p.add_argument("--transfer-syntax", choices=sorted(TRANSFER_SYNTAXES), default="explicit")
    p.add_argument("--intercept", type=int, default=-1024, help="rescale intercept in HU: stored = HU - intercept")
    p.add_argument("--signed", action="store_true", help="16 bits stored, two's complement, instead of 12 unsigned")
    p.add_argument("--shuffle-names", action="store_true", help="file names in no order, without extension")
    p.add_argument("--drop", type=int, action="append", default=[], metavar="N", help="leave out slice N (from 0)")
    p.add_argument("--localizer", action="store_true", help="add a scout image in a series of its own")
    return p.parse_args(argv)


def main(argv=None):
    o = arguments(argv)
    target = Path(o.folder)
    if target.exists():
        sys.exit(f"error: {target} exists: remove it first or choose another folder")
    try:
        source = head(o.source)
    except FileNotFoundError as e:
        sys.exit(f"error: {e}")
    storage = Storage(o.intercept, o.signed, 16 if o.signed else 12, o.transfer_syntax)
    scan = scan_of(source, o.slices, *o.size, storage)
    part = target.with_name(target.name + ".part")
    names = file_names(o.slices, o.shuffle_names, o.seed)
    paths = write_series(part, scan, hu_slices(source, o.slices, *o.size, o.seed), names, o.drop, o.localizer)
    os.rename(part, target)
    print(f"{len(paths)} slices of {o.size[0]} x {o.size[1]} ({source.name}) in {target}")


if __name__ == "__main__":
    main()
