#!/usr/bin/env python3
"""Recompute every digest of a result folder from its own files, as docs/format.md defines them.

    recompute_digests.py RESULT              from the Parquet tables and the manifest
    recompute_digests.py RESULT --dicom DIR  the digests of the input as well, and of derived DICOM, from pydicom's pixels

Prints each digest and exits 1 if one differs from the manifest. Needs numpy and pyarrow; --dicom needs pydicom,
and a plugin of it for derived DICOM in JPEG-LS.
It shares no code with TomoBasis.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def floats(column) -> bytes:
    """A column of float64, or of fixed-size lists of them, as little-endian bytes."""
    array = column.combine_chunks()
    array = getattr(array, "flatten", lambda: array)() if hasattr(array.type, "list_size") else array
    return array.to_numpy().astype("<f8").tobytes()


def tree(nodes: list[bytes]) -> bytes:
    while len(nodes) > 1:
        pairs = [nodes[i : i + 2] for i in range(0, len(nodes), 2)]
        nodes = [sha256(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return nodes[0]


def from_tables(result: Path, manifest: dict) -> dict:
    weights = pq.read_table(result / "weights.parquet")
    blocks = range(len(manifest["digests"]["U"]["blocks"]))
    names = (result / f"basis/part-{block:05}.parquet" for block in blocks)
    blocks = [sha256(floats(pq.read_table(name)["values"])) for name in names]
    digests = {
        "instances": sha256(*map(bytes.fromhex, weights["instance"].to_pylist())),
        "s": sha256(floats(pq.read_table(result / "singular_values.parquet")["sigma"])),
        "V": sha256(floats(weights["weights"])),
        "U": tree(blocks),
    }
    sizes = manifest["result"]
    lines = ["tomobasis result 1"]
    lines += [f"{key} {sizes[key]}" for key in ("class", "method", "rows", "columns", "rank")]
    parameters = manifest["parameters"]
    keys = ("center", "oversample", "power_iterations", "seed", "sketch")
    lines += [f"{key} {parameters[key]}".lower() for key in keys if key in parameters]
    lines += [f"pixels {manifest['digests']['pixels']}"]
    lines += [f"{key} {digests[key].hex()}" for key in ("s", "V", "U")]
    digests["root"] = sha256("".join(line + "\n" for line in lines).encode())
    digests |= {f"U block {block}": digest for block, digest in enumerate(blocks)}
    return digests


def from_dicom(folder: Path, rows: int, columns: int) -> dict:
    import pydicom

    slices = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        try:
            data = pydicom.dcmread(path)
        except pydicom.errors.InvalidDicomError:
            continue
        image_type = data.get("ImageType") or []
        wanted = (data.get("Rows"), data.get("Columns")) == (rows, columns) and "ImagePositionPatient" in data
        if wanted and not {"LOCALIZER", "DERIVED"} & set(image_type):
            row, column = np.array(data.ImageOrientationPatient, float).reshape(2, 3)
            position = np.array(data.ImagePositionPatient, float) @ np.cross(row, column)
            order = (position, int(data.get("InstanceNumber") or 0), data.SOPInstanceUID)
            slices.append((order, sha256(data.pixel_array.astype("<i4").tobytes())))
    slices.sort()
    pixels = sha256(*(digest for _, digest in slices))
    hashes = (sha256(b"tomobasis instance 1\n", pixels, uid.encode()) for (_, _, uid), _ in slices)
    return {"pixels": pixels, "instances (from DICOM)": sha256(*hashes)}


def from_derived(result: Path, manifest: dict) -> dict:
    import pydicom

    digests, derived = {}, manifest.get("derived", {})
    if derived.get("syntax") == "jpeg-ls" and not pydicom.pixels.get_decoder(pydicom.uid.JPEGLSLossless).is_available:
        print("skipped  derived series: pydicom needs a plugin for JPEG-LS (pip install pyjpegls)")
        return digests
    for series in derived.get("series", []):
        files = sorted((result / f"dicom/k={series['k']}").iterdir())
        pixels = (pydicom.dcmread(path).pixel_array.astype("<i4").tobytes() for path in files)
        digests[f"pixels of k={series['k']}"] = sha256(*map(sha256, pixels))
    return digests


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("result", type=Path)
    parser.add_argument("--dicom", type=Path, metavar="DIR", help="folder with the one series that was decomposed")
    args = parser.parse_args()
    manifest = json.loads((args.result / "manifest.json").read_text())
    recorded = manifest["digests"]
    expected = {key: recorded[key] for key in ("pixels", "instances", "s", "V", "root")}
    expected |= {"instances (from DICOM)": recorded["instances"], "U": recorded["U"]["root"]}
    expected |= {f"U block {block}": digest for block, digest in enumerate(recorded["U"]["blocks"])}
    for series in manifest.get("derived", {}).get("series", []):
        expected[f"pixels of k={series['k']}"] = series["pixels"]
    found = from_tables(args.result, manifest)
    if args.dicom:
        found |= from_dicom(args.dicom, manifest["series"]["rows"], manifest["series"]["columns"])
        found |= from_derived(args.result, manifest)
    differing = [name for name, digest in found.items() if digest.hex() != expected[name]]
    for name, digest in found.items():
        print(f"{'DIFFERS' if name in differing else 'same':7}  {digest.hex()}  {name}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
