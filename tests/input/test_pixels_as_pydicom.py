"""The same pixels, bit for bit, as pydicom with its plugins, on every file that both read: pydicom's own test files, one image in
many syntaxes (beside the checkout), and synthetic images in every syntax by other people's encoders. Cosine transforms of 12 bits, which no
plugin of pydicom reads but one under the GPL, as DCMTK."""

import json
import shutil
import subprocess
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import pixel_array
from pydicom.uid import JPEG2000, JPEG2000Lossless, JPEGLSLossless, JPEGLSNearLossless, RLELossless

import ct_image
from ct_image import Storage
from running import decompose, described, reader

BUNDLED = Path(pydicom.__file__).parent / "data/test_files"
JPEG = "1.2.840.10008.1.2.4."


def ours(paths):
    """{path: [values of each frame] or the reason why there are none}, of the files that our reader was given."""
    lines = [json.loads(line) for line in reader("values", *paths).splitlines()]
    found = {Path(line["file"]): line.get("error") or [v for _, v in line["slices"]] for line in lines[:-1]}
    assert list(found) == list(paths)
    return found


def theirs(path):
    """The stored values of each frame as pydicom decodes them; None where it cannot."""
    try:
        dataset = pydicom.dcmread(path, force=True)
        values = pixel_array(dataset, raw=True)
    except Exception:  # whatever keeps pydicom from reading, there is nothing to compare with
        return None
    return values.reshape(int(dataset.get("NumberOfFrames") or 1), -1)


def compared(paths):
    """Names of the files that both read, after their pixels were found to be the same."""
    both = []
    for path, found in ours(paths).items():
        expected = theirs(path)
        if isinstance(found, str) or expected is None:
            continue
        assert np.array_equal(np.array(found), expected), path.name
        both.append(path.name)
    return both


# What both read of the files in pydicom's wheel. The others are color, no images, without a position, or damaged.
READ = {
    "693_J2KI.dcm",
    "CT_small.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_expb.dcm",
    "MR_small_implicit.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "MR_small_padded.dcm",
    "examples_overlay.dcm",
}
# Cosine transforms of 12 bits, and what has DCMTK make them.
JPEG_12_BITS = {"51": "+ee", "53": "+es", "55": "+ep"}


def test_the_files_that_come_with_pydicom_have_pydicoms_pixels():
    assert set(compared(sorted(BUNDLED.glob("*.dcm")))) == READ


def test_one_image_in_many_syntaxes_has_pydicoms_pixels(shared):
    files = sorted(shared("codec_ct").glob("*.dcm"))
    readable = [path.name for path in files if path.stem.split(".")[-1] not in JPEG_12_BITS]
    assert compared(files) == readable and len(readable) == 13


STORED = {
    "8 bits": Storage(intercept=0, bits=8),
    "12 bits": Storage(bits=12),
    "12 bits signed": Storage(intercept=0, bits=12, signed=True),
    "16 bits": Storage(intercept=-20000, bits=16),
    "16 bits signed": Storage(intercept=0, bits=16, signed=True),
}


def jpeg(**options):
    return lambda values, bits: imagecodecs.jpeg8_encode(values, bitspersample=bits, **options)


def htj2k(**options):
    return lambda values, bits: imagecodecs.htj2k_encode(values, **options)


# Transfer syntax: an encoder of one frame (None: pydicom's own), and the numbers of bits that it takes.
ENCODERS = {
    RLELossless: (None, STORED),
    JPEGLSLossless: (None, STORED),
    JPEGLSNearLossless: (None, ["12 bits", "16 bits"]),
    JPEG2000Lossless: (None, STORED),
    JPEG2000: (None, ["12 bits", "12 bits signed"]),
    JPEG + "50": (jpeg(level=90), ["8 bits"]),
    JPEG + "57": (jpeg(lossless=True, predictor=6), ["8 bits", "12 bits", "16 bits"]),
    JPEG + "70": (jpeg(lossless=True, predictor=1), ["8 bits", "12 bits", "16 bits"]),
    JPEG + "201": (htj2k(reversible=True), ["8 bits", "16 bits"]),
    JPEG + "202": (htj2k(reversible=True, tlm=True), ["16 bits"]),
    JPEG + "203": (htj2k(level=0.001, reversible=False), ["16 bits"]),
}
OPTIONS = {JPEGLSNearLossless: {"jls_error": 3}, JPEG2000: {"j2k_cr": [4]}}


def image(stored):
    """The values of a synthetic slice with noise in it."""
    y, x = np.mgrid[0:48, 0:72]
    noise = np.random.default_rng(1).normal(0, 8, y.shape)
    low, high = stored.limits
    wave = np.clip((low + high) / 2 + (high - low) * 0.4 * np.sin(y / 9) * np.cos(x / 14) + noise, low, high)
    return wave.astype("<i2" if stored.signed else "<u2")


def write(path, syntax, stored):
    values = image(stored)
    ct_image.write(ct_image.ct_slice(described(1, *values.shape), 0, values), path)
    dataset = pydicom.dcmread(path)
    cell = 8 if stored.bits == 8 else 16
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = cell, stored.bits, stored.bits - 1
    dataset.PixelRepresentation = int(stored.signed)
    values = values.astype(np.uint8) if cell == 8 else values
    dataset["PixelData"].VR = "OB" if cell == 8 else "OW"
    dataset.PixelData = values.tobytes()
    encode = ENCODERS[syntax][0]
    if encode is None:
        dataset.compress(syntax, generate_instance_uid=False, **OPTIONS.get(syntax, {}))
    else:
        dataset.PixelData = encapsulate([bytes(encode(values, stored.bits))])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path)


@pytest.mark.parametrize("syntax", ENCODERS, ids=lambda uid: pydicom.uid.UID(uid).name)
def test_made_images_have_pydicoms_pixels_in(syntax, tmp_path):
    names = list(ENCODERS[syntax][1])
    for number, name in enumerate(names):
        write(tmp_path / f"{number}.dcm", syntax, STORED[name])
    files = sorted(tmp_path.glob("*.dcm"))
    assert len(compared(files)) == len(names)


@pytest.fixture
def dcmtk(tmp_path):
    """Runs a program of DCMTK on a file; the file that it wrote."""

    def run(*command):
        if shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not installed: apt-get install dcmtk")
        written = tmp_path / f"{len(list(tmp_path.iterdir()))}.dcm"
        subprocess.run([*command, written], check=True, capture_output=True)
        return written

    return run


def same_as_dcmtk(paths, dcmtk):
    """Asserts the pixels that dcmdjpeg gives; how many files have 12 bits."""
    for path, found in ours(paths).items():
        assert np.array_equal(np.array(found), theirs(dcmtk("dcmdjpeg", path))), path.name
    return sum(pydicom.dcmread(path).BitsStored == 12 for path in paths)


def test_cosine_transforms_of_12_bits_have_dcmtks_pixels(shared, dcmtk):
    files = [path for path in sorted(shared("codec_ct").glob("*.dcm")) if path.stem.split(".")[-1] in JPEG_12_BITS]
    assert same_as_dcmtk(files, dcmtk) == 3


@pytest.mark.parametrize("syntax", JPEG_12_BITS)
def test_made_cosine_transforms_of_12_bits_have_dcmtks_pixels(syntax, dcmtk, tmp_path):
    write(tmp_path / "made.dcm", RLELossless, STORED["12 bits"])
    plain = dcmtk("dcmdrle", tmp_path / "made.dcm")
    made = dcmtk("dcmcjpeg", JPEG_12_BITS[syntax], plain)
    assert pydicom.dcmread(made).file_meta.TransferSyntaxUID == JPEG + syntax
    assert same_as_dcmtk([made], dcmtk) == 1


def notes(path, tmp_path):
    """What the command tells of the pixels of a series of one file."""
    done = decompose("--input", path, "--output", tmp_path / f"{path.stem}-result", "--emit", "parquet")
    assert done.code == 0, done.err
    warnings = json.loads((tmp_path / f"{path.stem}-result/manifest.json").read_text())["series"]["warnings"]
    told = [note["text"] for note in warnings if note["kind"] in ("spare-bits", "codestream", "lossy")]
    assert all(text in done.err for text in told)
    return told


# Stored cells of 16 bits, Bits Stored, signed, Overlay Bit Position; what is told.
CELLS = {
    "unsigned": (lambda x: 4 * x, 12, False, None, "({above} pixels): these bits are not used"),
    "signed": (lambda x: 2 * (x - 2048), 12, True, None, "these bits are not used; where Bits Stored is wrong"),
    "overlay": (lambda x: x | (x % 5 == 0) << 12, 12, False, 12, "({above} pixels): these bits are overlays"),
    "sign in no bit": (lambda x: x & 4095, 12, True, None, None),
    "sign in all bits": (lambda x: x - 2048, 12, True, None, None),
}


@pytest.mark.parametrize("name", CELLS)
def test_bits_above_bits_stored_are_told_and_not_used_as_pydicom_does(name, tmp_path):
    change, bits, signed, overlay, words = CELLS[name]
    path = tmp_path / "made.dcm"
    values = change(image(STORED["12 bits"]).astype(np.int64))
    cells = values.astype("<i2").view("<u2")
    ct_image.write(ct_image.ct_slice(described(1, *values.shape), 0, values), path)
    dataset = pydicom.dcmread(path)
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, int(signed)
    dataset.PixelData = cells.tobytes()
    if overlay:
        dataset.add_new((0x6000, 0x0100), "US", 16)
        dataset.add_new((0x6000, 0x0102), "US", overlay)
    dataset.save_as(path)
    (found,) = ours([path])[path]
    assert np.array_equal(np.array(found), theirs(path)[0])
    told = notes(path, tmp_path)
    if words is None:
        assert told == []
    else:
        above = int((cells >> bits != 0).sum())
        assert len(told) == 1 and words.format(above=above) in told[0]


def odd(path, change):
    """The same file with its codestream changed."""
    dataset = pydicom.dcmread(path)
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([change(bytes(frame))])
    changed = path.with_name(f"odd-{path.name}")
    dataset.save_as(changed)
    return changed


def test_codestreams_that_are_odd_without_harm_have_dcmtks_pixels_and_are_told(dcmtk, tmp_path):
    def before_end(zeros):
        return lambda stream: stream[: stream.rindex(b"\xff\xd9")] + bytes(zeros) + b"\xff\xd9"

    def no_coefficients(stream):
        scan = stream.index(b"\xff\xda")
        end = scan + 2 + int.from_bytes(stream[scan + 2 : scan + 4], "big")
        assert stream[end - 3 : end] == bytes([0, 63, 0])
        return stream[: end - 3] + bytes(3) + stream[end:]

    def revision(stream):
        return stream.replace(b"JFIF\0\x01", b"JFIF\0\x05")

    made = {name: tmp_path / f"{name}.dcm" for name in ("70", "80", "rle", "50")}
    write(made["70"], JPEG + "70", STORED["12 bits"])
    write(made["80"], JPEGLSLossless, STORED["12 bits"])
    write(made["50"], JPEG + "50", STORED["8 bits"])
    write(made["rle"], RLELossless, STORED["12 bits"])
    extended = dcmtk("dcmcjpeg", "+ee", dcmtk("dcmdrle", made["rle"]))
    cases = [
        (made["70"], before_end(20), "dcmdjpeg", "with extra bytes before the end of the JPEG image"),
        (made["80"], before_end(1), "dcmdjpls", "with zero bytes before the end of the JPEG-LS image"),
        (made["50"], revision, "dcmdjpeg", "with an unknown JFIF revision"),
        (extended, no_coefficients, "dcmdjpeg", "with Ss = Se = 0"),
    ]
    for path, change, program, words in cases:
        changed = odd(path, change)
        (found,) = ours([changed])[changed]
        assert np.array_equal(np.array(found), theirs(dcmtk(program, changed))[0]), words
        told = notes(changed, tmp_path)
        assert len([text for text in told if words in text]) == 1, (words, told)


# What loses something: an encoder, and the lossless syntaxes that are named in its place.
LOSSY = {JPEG + "50": ["57", "70"], JPEGLSNearLossless: ["80"], JPEG2000: ["90"], JPEG + "203": ["201", "202"]}


@pytest.mark.parametrize("syntax", LOSSY, ids=lambda uid: pydicom.uid.UID(uid).name)
def test_a_lossy_codestream_under_a_lossless_syntax_has_its_pixels_and_is_told(syntax, tmp_path):
    path = tmp_path / "made.dcm"
    write(path, syntax, STORED[ENCODERS[syntax][1][0]])
    (expected,) = ours([path])[path]
    dataset = pydicom.dcmread(path)
    for last in LOSSY[syntax]:
        dataset.file_meta.TransferSyntaxUID = JPEG + last
        dataset.LossyImageCompression = "00"
        changed = tmp_path / f"{last}.dcm"
        dataset.save_as(changed)
        assert ours([changed])[changed] == [expected]
        told = notes(changed, tmp_path)
        assert told == ["the only slice compressed with loss, though the transfer syntax is a lossless one"]
