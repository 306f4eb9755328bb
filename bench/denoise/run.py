#!/usr/bin/env python3
"""Measures `tomobasis denoise` on heads whose truth is known, against other denoisers and the truncated SVD of whole slices.

    bench/denoise/run.py [--cases 1,3] [--slices 108] [--side 256] [--scratch /dev/shm]

The truth is the head of the demo (and a phantom) with discs of +60 HU (6 mm, one slice) and -20 HU (8 mm, three slices) in
flat tissue. Noise is simulated by projection (simulation.py). The others are told the true noise and are given the best of
several parameters; `denoise` is given nothing. BM4D takes part where it is installed (`pip install bm4d`; its license
permits non-commercial use).
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

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "examples/ct_series"), str(ROOT / "bench")]

from case import Case, Truth  # noqa: E402
from denoisers import bm4d, others  # noqa: E402
from simulation import Scanner  # noqa: E402

from anatomy import head  # noqa: E402
from ct_image import Storage  # noqa: E402
from make_ct_series import file_names, scan_of, write_series  # noqa: E402
from records import heading, machine, markdown, show  # noqa: E402

# name: (head, photons per ray, kernel, slices overlap)
CASES = {
    "sharp, 1e5 photons": ("auto", 1e5, "ramp", False),
    "sharp, 2e4 photons": ("auto", 2e4, "ramp", False),
    "soft, 2e4 photons": ("auto", 2e4, "hann", False),
    "soft, 2e4 photons, overlapping slices": ("auto", 2e4, "hann", True),
    "phantom, soft, 1e5 photons": ("phantom", 1e5, "hann", False),
}


def ours(source, case, scratch):
    slices, side, _ = case.noisy.shape
    with tempfile.TemporaryDirectory(dir=scratch) as base:
        series = Path(base) / "series"
        scan = scan_of(source, slices, side, side, Storage())
        write_series(series, scan, enumerate(case.noisy), file_names(slices, shuffled=False))
        for quality, strength in [("fast", 1), ("default", 1), ("best", 1), ("default", 0.75), ("best", 0.75)]:
            out = Path(base) / f"{quality}-{strength}"
            began = time.perf_counter()
            options = ["--input", series, "--output", out, "--quality", quality, "--strength", str(strength)]
            subprocess.run([ROOT / "bin/tomobasis", "denoise", *options], check=True, capture_output=True)
            seconds = time.perf_counter() - began
            files = (pydicom.dcmread(path) for path in sorted((out / "dicom").iterdir()))
            result = np.stack([d.pixel_array * float(d.RescaleSlope) + float(d.RescaleIntercept) for d in files])
            figures = case.judge(result, seconds)
            manifest = json.loads((out / "manifest.json").read_text())
            figures["sigma_hu"] = manifest["noise"]["sigma"]
            figures["own_test_kept"] = manifest["details"][0]["kept"]
            yield f"`denoise`, {quality}, strength {strength}", figures


def table(found):
    titles = [
        "method",
        "gain, dB",
        "SSIM",
        "edges, HU",
        "flat, HU",
        "+60 HU kept",
        "-20 HU kept",
        "structure",
        "seconds",
    ]
    rows = [
        [
            name,
            f"{f['gain_db']:+.1f}",
            f"{f['similarity']:.3f}",
            f"{f['edge_rmse_hu']:.1f}",
            f"{f['flat_rmse_hu']:.1f}",
            *(f"{kept:.2f}" for kept in f["kept"].values()),
            f"{f['structure']:.2f}",
            f"{f['seconds']:.1f}",
        ]
        for name, f in found.items()
    ]
    return markdown(titles, rows)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cases", help="their numbers, with commas (default: all)")
    p.add_argument("--slices", type=int, default=108)
    p.add_argument("--side", type=int, default=256)
    p.add_argument("--scratch", help="folder for the series")
    p.add_argument("--json", type=Path, default=ROOT / "build/bench/denoise.json")
    args = p.parse_args()
    names = list(CASES)
    names = [names[int(number) - 1] for number in args.cases.split(",")] if args.cases else names
    record = {**machine(), "load": os.getloadavg()[0], "bm4d": bm4d is not None, "cases": {}}
    print(heading(record, f"{args.slices} slices of {args.side} x {args.side}"))
    scanners = {}
    for name in names:
        which, photons, kernel, overlap = CASES[name]
        source = head(which)
        if which not in scanners:
            truth = Truth(source, args.slices, args.side)
            scanners[which] = truth, Scanner(truth.volume, truth.spacing[1])
        truth, scanner = scanners[which]
        case = Case(truth, scanner.noise(photons, kernel, overlap, seed=list(CASES).index(name)))
        found = dict([*others(case), *ours(source, case, args.scratch)])
        lesions = {lesion: len(places) for lesion, places in truth.lesions.items()}
        noisy = {
            "decibels": float(case.decibels(case.noisy)),
            "similarity": case.similarity(case.noisy),
            "sigma_hu": case.sigma,
        }
        record["cases"][name] = {"head": source.name, **noisy, "lesions": lesions, "methods": found}
        print(
            f"\n{name} ({source.name}): noise {case.sigma:.1f} HU, {noisy['decibels']:.1f} dB, SSIM {noisy['similarity']:.3f}\n"
        )
        print(table(found), flush=True)
    show("", record, args.json)


if __name__ == "__main__":
    main()
