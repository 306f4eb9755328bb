#!/usr/bin/env python3
"""Measures `tomobasis denoise` on a head whose truth is known, against filters of SciPy and the truncated SVD of whole slices.

    bench/denoise.py [--source auto] [--noise 10,25,50] [--scratch /dev/shm]

The truth is the head of the demo with discs of +60 HU, 6 mm, in one slice each, in flat tissue. Noise is that of the demo
(examples/ct_series/noise.py: correlated within slices, stronger where rays cross more tissue), of several strengths, which
are those behind 200 mm of water. The filters and the rank of the SVD are given the truth: of each, the parameter with the
smallest error is taken. `denoise` is given nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pydicom
from scipy import ndimage

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "examples/ct_series"))

from anatomy import head  # noqa: E402
from ct_image import Storage  # noqa: E402
from make_ct_series import file_names, scan_of, write_series  # noqa: E402
from noise import ct_noise  # noqa: E402
from records import heading, machine, markdown, show  # noqa: E402

SLICES, SIDE = 108, 256
CONTRAST, DIAMETER_MM = 60, 6
# What errors are relative to in dB, HU.
RANGE = 2000


def discs(truth, spacing):
    """Boolean masks of a disc in every sixth slice of the middle, where tissue is flattest, and of what is around it."""
    radius = DIAMETER_MM / 2 / spacing[1]
    reach = int(3 * radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc, ring = np.hypot(y, x) <= radius, (np.hypot(y, x) > 1.5 * radius) & (np.hypot(y, x) <= 3 * radius)
    for index in range(len(truth) // 4, 3 * len(truth) // 4, 6):
        image = truth[index]
        lowest, highest = (f(image, 2 * reach + 1) for f in (ndimage.minimum_filter, ndimage.maximum_filter))
        deviation = np.where((lowest > -50) & (highest < 150), highest - lowest, np.inf)
        deviation[:reach], deviation[-reach:], deviation[:, :reach], deviation[:, -reach:] = 4 * [np.inf]
        row, column = np.unravel_index(np.argmin(deviation), deviation.shape)
        if np.isfinite(deviation[row, column]):
            yield (index, slice(row - reach, row + reach + 1), slice(column - reach, column + reach + 1)), disc, ring


class Case:
    """The truth, the truth with noise, and what is judged by them."""

    def __init__(self, source, strength):
        self.scan = scan_of(source, SLICES, SIDE, SIDE, Storage())
        self.spacing = self.scan.spacing_mm
        self.truth = np.stack([source.slice_hu(i, SLICES, SIDE, SIDE) for i in range(SLICES)]).astype(float)
        self.lesions = list(discs(self.truth, self.spacing))
        for place, disc, _ in self.lesions:
            self.truth[place][disc] += CONTRAST
        noise = (ct_noise(self.truth[i], self.spacing[1:], 1, i, strength) for i in range(SLICES))
        self.noisy = np.clip(np.rint(self.truth + np.stack(list(noise))), -1024, 3071)
        self.body = self.truth > -500
        slope = np.hypot(*(ndimage.sobel(self.truth, axis) for axis in (1, 2)))
        self.edges = self.body & (slope > np.quantile(slope[self.body], 0.9))
        self.flat = self.body & (slope < np.quantile(slope[self.body], 0.4))

    def decibels(self, result):
        return 20 * np.log10(RANGE / np.sqrt(np.mean((result - self.truth)[self.body] ** 2)))

    def judge(self, result, seconds):
        def contrast(volume):
            return sum(volume[place][disc].mean() - volume[place][ring].mean() for place, disc, ring in self.lesions)

        removed = self.noisy - result
        return {
            "gain_db": self.decibels(result) - self.decibels(self.noisy),
            "edge_rmse_hu": float(np.sqrt(np.mean((result - self.truth)[self.edges] ** 2))),
            "flat_rmse_hu": float(np.sqrt(np.mean((result - self.truth)[self.flat] ** 2))),
            "disc_kept": contrast(result) / contrast(self.truth),
            "structure": float(removed[self.edges].std() / removed[self.flat].std()),
            "seconds": seconds,
        }


def best(case, results):
    """Of results that are tried one after the other, that with the smallest error; the time is its own."""
    tried = []
    for name, make in results:
        began = time.perf_counter()
        result = make()
        tried.append((case.decibels(result), name, result, time.perf_counter() - began))
    _, name, result, seconds = max(tried, key=lambda one: one[0])
    return name, case.judge(result, seconds)


def filters(case):
    """Rows of others: name, figures."""
    widths = (0.4, 0.5, 0.6, 0.8, 1.0, 1.3)
    yield best(case, [(f"Gaussian, {w} voxels", lambda w=w: ndimage.gaussian_filter(case.noisy, w)) for w in widths])
    yield best(case, [("median, 3 x 3 x 3", lambda: ndimage.median_filter(case.noisy, 3))])
    matrix = case.noisy.reshape(SLICES, -1).T
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)

    def rank(k):
        return lambda: ((u[:, :k] * s[:k]) @ vt[:k]).T.reshape(case.noisy.shape)

    for percent in (10, 30, 81):
        k = round(percent / 100 * SLICES)
        yield best(case, [(f"SVD of slices, k = {k} ({percent} %)", rank(k))])
    name, figures = best(case, [(f"SVD of slices, best k = {k}", rank(k)) for k in range(20, SLICES, 4)])
    yield name, figures


def ours(case, scratch):
    with tempfile.TemporaryDirectory(dir=scratch) as base:
        series = Path(base) / "series"
        write_series(series, case.scan, enumerate(case.noisy), file_names(SLICES, shuffled=False))
        for quality, strength in [("fast", 1), ("default", 1), ("best", 1), ("default", 0.75)]:
            out = Path(base) / f"{quality}-{strength}"
            began = time.perf_counter()
            subprocess.run(
                [ROOT / "bin/tomobasis", "denoise", "--input", series, "--output", out, "--quality", quality, "--strength", str(strength)],
                check=True, capture_output=True,
            )  # fmt: skip
            seconds = time.perf_counter() - began
            slices = (pydicom.dcmread(path) for path in sorted((out / "dicom").iterdir()))
            result = np.stack([d.pixel_array * float(d.RescaleSlope) + float(d.RescaleIntercept) for d in slices])
            figures = case.judge(result, seconds)
            manifest = json.loads((out / "manifest.json").read_text())
            figures["sigma_hu"] = manifest["noise"]["sigma"]
            figures["own_test_kept"] = manifest["details"][0]["kept"]
            yield f"tomobasis denoise, {quality}, strength {strength}", figures


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--source", default="auto", help="cranium, phantom or auto")
    p.add_argument("--noise", default="10,25,50", help="strengths in HU")
    p.add_argument("--scratch", help="folder for the series")
    p.add_argument("--json", type=Path, default=ROOT / "build/bench/denoise.json")
    args = p.parse_args()
    source = head(args.source)
    record = {**machine(), "load": os.getloadavg()[0], "source": source.name, "cases": {}}
    tables = [heading(record, f"{source.name}, {SLICES} slices of {SIDE} x {SIDE}")]
    titles = ["method", "gain, dB", "edges, HU", "flat, HU", "discs kept", "structure", "seconds"]
    for strength in map(float, args.noise.split(",")):
        case = Case(source, strength)
        found = dict([*filters(case), *ours(case, args.scratch)])
        record["cases"][strength] = {
            "noisy_db": case.decibels(case.noisy),
            "discs": len(case.lesions),
            "methods": found,
        }
        rows = [
            [
                name,
                f"{f['gain_db']:+.1f}",
                f"{f['edge_rmse_hu']:.1f}",
                f"{f['flat_rmse_hu']:.1f}",
                f"{f['disc_kept']:.2f}",
                f"{f['structure']:.2f}",
                f"{f['seconds']:.1f}",
            ]
            for name, f in found.items()
        ]
        line = f"Noise of {strength:g} HU behind 200 mm of water, {case.decibels(case.noisy):.1f} dB, {len(case.lesions)} discs:"
        tables += ["", line, "", markdown(titles, rows)]
    show("\n".join(tables), record, args.json)


if __name__ == "__main__":
    main()
