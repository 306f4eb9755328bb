#!/usr/bin/env python3
"""Measures reading: pixels of synthetic slices of 512 x 512 in every syntax, and the headers of many files, against pydicom with its
fastest plugin.

    bench/reader.py [--slices 301] [--files 10000] [--repeat 3] [--scratch /dev/shm]

CPU seconds of one thread, which other work on the machine changes less than it does the time; ours and theirs take turns; the
medians. Ours include all checks
of the header; "with digest" also the SHA-256 of each slice, which a decomposition needs. Files are in the cache of the
operating system.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder, pixel_array
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "examples/ct_series"))

from anatomy import Phantom  # noqa: E402
from ct_image import Storage, ct_slice, write  # noqa: E402
from make_ct_series import hu_slices, scan_of  # noqa: E402
from records import heading, machine, markdown, show  # noqa: E402

JPEG_LOSSLESS, HTJ2K = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.201"
# Syntax: how a frame is encoded (None: by pydicom), and the ratio that we aim for.
SYNTAXES = {
    ExplicitVRLittleEndian: (None, 4),
    RLELossless: (None, 1.5),
    JPEG_LOSSLESS: (lambda v: imagecodecs.jpeg8_encode(v, lossless=True, predictor=1, bitspersample=12), 1.5),
    JPEGLSLossless: (None, 1),
    JPEG2000Lossless: (None, 1),
    HTJ2K: (lambda v: imagecodecs.htj2k_encode(v, reversible=True), 1),
}
HEADERS_AIM = 10


def reader():
    subprocess.run(
        "cargo build --quiet --release --locked -p tomobasis-dicom --example read".split(), cwd=ROOT, check=True
    )
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/examples/read"


def in_syntax(source, target, syntax, encode):
    dataset = pydicom.dcmread(source)
    if encode:
        dataset.PixelData = encapsulate([bytes(encode(dataset.pixel_array))])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = syntax
    elif syntax != ExplicitVRLittleEndian:
        dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(target)


def ours(program, mode, files):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, mode, *files], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def theirs(read, files, **options):
    began = time.process_time()
    for file in files:
        read(str(file), **options)
    return time.process_time() - began


def medians(repeat, measures):
    """Of each measure; they take turns, so that what else the machine does falls on all."""
    rounds = [[measure() for measure in measures] for _ in range(repeat)]
    return [statistics.median(times) for times in zip(*rounds, strict=True)]


def plugins(syntax):
    """The plugins that pydicom has for a syntax; `None` where it needs none."""
    decoder = get_decoder(pydicom.uid.UID(syntax))
    return decoder.available_plugins if pydicom.uid.UID(syntax).is_encapsulated else (None,)


def pixels(program, folder, o):
    rows = []
    hu = hu_slices(Phantom(), o.slices, 512, 512, 1)
    scan = scan_of(Phantom(), o.slices, 512, 512, Storage())
    (folder / "source").mkdir()
    sources = [folder / "source" / f"{i}.dcm" for i in range(o.slices)]
    for i, image in hu:
        write(ct_slice(scan, i, image), sources[i])
    for syntax, (encode, aim) in SYNTAXES.items():
        files = []
        for path in sources:
            files.append(folder / path.name)
            in_syntax(path, files[-1], syntax, encode)
        for path in files:
            path.read_bytes()
        named = [{"decoding_plugin": plugin} if plugin else {} for plugin in plugins(syntax)]
        we, digested, *them = medians(
            o.repeat,
            [partial(ours, program, mode, files) for mode in ("decode", "pixels")]
            + [partial(theirs, pixel_array, files, **options) for options in named],
        )
        fastest, plugin = min(zip(them, [options.get("decoding_plugin", "numpy") for options in named], strict=True))
        per = 1000 / o.slices
        name = pydicom.uid.UID(syntax).name
        rows.append([name, we * per, digested * per, fastest * per, plugin, fastest / we, aim])
    return rows


def headers(program, folder, o):
    """As long headers as scanners write, and few pixels, so that the disk has room."""
    scan = scan_of(Phantom(), o.files, 8, 8, Storage())
    files = []
    for i in range(o.files):
        dataset = ct_slice(scan, i, np.zeros((8, 8)))
        dataset.add_new((0x0029, 0x0010), "LO", "TOMOBASIS BENCH")
        dataset.add_new((0x0029, 0x1010), "OB", bytes(4000))
        files.append(folder / f"{i}.dcm")
        write(dataset, files[-1])
    we, them = medians(
        o.repeat,
        [partial(ours, program, "headers", files), partial(theirs, pydicom.dcmread, files, stop_before_pixels=True)],
    )
    per = 1000 / o.files
    return ["headers of files", we * per, None, them * per, "stop_before_pixels", them / we, HEADERS_AIM]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--slices", type=int, default=301)
    p.add_argument("--files", type=int, default=10000)
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--scratch", help="where the files are made [default: the system's temporary folder]")
    p.add_argument("--json", type=Path, default=ROOT / "build/bench/reader.json")
    o = p.parse_args()
    program = reader()
    with tempfile.TemporaryDirectory(dir=o.scratch) as scratch:
        rows = pixels(program, Path(scratch), o)
    with tempfile.TemporaryDirectory(dir=o.scratch) as scratch:
        rows.append(headers(program, Path(scratch), o))
    about = {**machine(), "slices": o.slices, "files": o.files, "repeat": o.repeat}
    line = heading(about, f"{o.slices} slices", f"{o.files} files")
    table = markdown(
        ["CPU ms per file", "ours", "with digest", "pydicom", "by", "ratio", "aim", ""],
        [
            [name, f"{we:.3f}", f"{digested:.2f}" if digested else "", f"{them:.2f}", plugin, f"{ratio:.1f}",
             f"{aim:g}", "" if ratio >= aim else "MISSED"]
            for name, we, digested, them, plugin, ratio, aim in rows
        ],
    )  # fmt: skip
    names = ["what", "ours_ms", "ours_with_digest_ms", "pydicom_ms", "plugin", "ratio", "aim"]
    record = {**about, "results": [dict(zip(names, row, strict=True)) for row in rows]}
    show(f"{line}\n\n{table}", record, o.json)


if __name__ == "__main__":
    main()
