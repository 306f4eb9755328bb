#!/usr/bin/env python3
"""Writes native/dicom/tests/common/codestreams.rs: one small synthetic image in every compression, by other people's encoders.

    .venv/bin/python tests/data/make_codestreams.py

Pixel (y, x) of 16 x 16 is (37 y + 11 x + x y) mod 2^bits. Needed again only when a compression is added.
"""

from pathlib import Path

import imagecodecs as codecs
import numpy as np
from pydicom.pixels.encoders import RLELosslessEncoder

TARGET = Path(__file__).resolve().parents[2] / "native/dicom/tests/common/codestreams.rs"
SIDE = 16


def image(bits):
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    return ((37 * y + 11 * x + x * y) % (1 << bits)).astype(np.uint8 if bits == 8 else np.uint16)


def rle(pixels):
    described = {"rows": SIDE, "columns": SIDE, "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2"}
    stored = {"bits_allocated": 16, "bits_stored": 12, "pixel_representation": 0, "number_of_frames": 1}
    return RLELosslessEncoder.encode(pixels, **described, **stored)


JPEG, J2K = "1.2.840.10008.1.2.4.", {"codecformat": "j2k", "resolutions": 3}
STREAMS = [
    (JPEG + "50", 8, False, codecs.jpeg8_encode(image(8), 90)),
    (JPEG + "51", 12, False, codecs.jpeg8_encode(image(12), 90, bitspersample=12)),
    (JPEG + "57", 16, True, codecs.jpeg8_encode(image(16), lossless=True, predictor=4)),
    (JPEG + "70", 12, True, codecs.jpeg8_encode(image(12), lossless=True, predictor=1, bitspersample=12)),
    (JPEG + "80", 12, True, codecs.jpegls_encode(image(12))),
    (JPEG + "81", 12, False, codecs.jpegls_encode(image(12), 3)),
    (JPEG + "90", 16, True, codecs.jpeg2k_encode(image(16), reversible=True, **J2K)),
    (JPEG + "91", 12, False, codecs.jpeg2k_encode(image(12), 60, reversible=False, bitspersample=12, **J2K)),
    (JPEG + "201", 16, True, codecs.htj2k_encode(image(16), reversible=True)),
    (JPEG + "203", 16, False, codecs.htj2k_encode(image(16), 0.001, reversible=False)),
    ("1.2.840.10008.1.2.5", 12, True, rle(image(12))),
]


def lines(stream):
    digits = stream.hex()
    return "\n".join(f"         {digits[i : i + 96]}\\" for i in range(0, len(digits), 96))


def main():
    out = [
        "//! One small synthetic image in every compression, by other people's encoders: `tests/data/make_codestreams.py`",
        "//! writes this file. Pixel (y, x) of 16 x 16 is (37 y + 11 x + x y) mod 2^bits.",
        "",
        "/// Transfer Syntax UID, bits of a pixel, whether nothing is lost, and the codestream in hexadecimal digits.",
        "#[rustfmt::skip]",
        f"pub const CODESTREAMS: [(&str, u16, bool, &str); {len(STREAMS)}] = [",
    ]
    for uid, bits, lossless, stream in STREAMS:
        out.append(f'    ("{uid}", {bits}, {str(lossless).lower()}, "\\\n{lines(bytes(stream))}\n    "),')
    TARGET.write_text("\n".join([*out, "];", ""]))


if __name__ == "__main__":
    main()
