#!/usr/bin/env python3
"""Recompute every digest of a result folder from its own files, as docs/format.md defines them.

    recompute_digests.py RESULT              from the Parquet tables, all other files and the manifest
    recompute_digests.py RESULT --dicom DIR  the digests of the input as well, and of derived DICOM, from pydicom's pixels
    recompute_digests.py RESULT --npy FILE   the digests of the input as well, which is a matrix

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


def files_of(result: Path, manifest: dict) -> Path:
    """Where the files of a result are: beside the manifest, or in the folder that it names."""
    return result / manifest["run"].get("folder", "")


def of_files(result: Path, root: Path, manifest: dict) -> tuple[dict, dict]:
    """The digests of all files and the seal: as they are, and as the manifest has them."""
    if "files" not in manifest:
        print("skipped  files: the manifest lists none (an older format)")
        return {}, {}
    run = manifest["run"]
    listed = manifest["files"] + [run[key] for key in ("report",) if key in run]
    expected = {f"file {file['path']}": file.get("sha256") for file in listed}
    found = {}
    for path in sorted(path for path in result.rglob("*") if path.is_file()):
        name = f"file {path.relative_to(result).as_posix()}"
        if path.parent != root or path.name not in ("manifest.json", "_SUCCESS"):
            content = path.read_bytes()
            found[name] = sha256(content) if expected.get(name, "") is not None else b""  # DICOM: by path alone
    expected = {name: digest or "" for name, digest in expected.items()}
    found = dict(sorted({name: b"missing" for name in expected if name not in found}.items() | found.items()))
    seal, text = run["manifest_sha256"], (root / "manifest.json").read_text()
    found["seal"] = sha256(text.replace(seal, "0" * 64, 1).encode())
    return found, expected | {"seal": seal}


def once(pairs: list) -> dict:
    """A JSON object; of one that has a key twice readers may take either value."""
    if len(dict(pairs)) < len(pairs):
        sys.exit("manifest.json: a key stands twice in one object")
    return dict(pairs)


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
    if manifest["series"].get("padding", {}).get("replaced"):
        lines += [f"padding {parameters['padding']}"]
    lines += [f"pixels {manifest['digests']['pixels']}"]
    lines += [f"{key} {digests[key].hex()}" for key in ("s", "V", "U")]
    digests["root"] = sha256("".join(line + "\n" for line in lines).encode())
    digests |= {f"U block {block}": digest for block, digest in enumerate(blocks)}
    return digests


def slices_of(path: Path) -> list:
    """Of each slice in a file (one, or the frames of a multi-frame image): (position, instance number, UID, frame), size, whether
    it is derived, digest, secret."""
    import pydicom

    try:
        data = pydicom.dcmread(path)
    except pydicom.errors.InvalidDicomError:
        return []
    shared = (data.get("SharedFunctionalGroupsSequence") or [data])[0]
    frames = data.get("PerFrameFunctionalGroupsSequence") or [data]
    places = []
    for frame in frames:  # what holds for a frame: its own, else the shared, else the image's
        group = [
            (frame.get(name) or shared.get(name) or [data])[0]
            for name in ("PlaneOrientationSequence", "PlanePositionSequence")
        ]
        places.append((group[0].get("ImageOrientationPatient"), group[1].get("ImagePositionPatient")))
    placed = "PixelData" in data and not any(None in place for place in places)
    if not placed or "LOCALIZER" in (data.get("ImageType") or []):
        return []
    slices = []
    pixels = data.pixel_array.astype("<i4").reshape(len(frames), data.Rows, data.Columns)
    for number, ((orientation, position), values) in enumerate(zip(places, pixels, strict=True)):
        row, column = np.array(orientation, float).reshape(2, 3)
        along = round(float(np.array(position, float) @ np.cross(row, column)), 4)
        order = (along, int(data.get("InstanceNumber") or 0), data.SOPInstanceUID, number)
        digests = (sha256(values.tobytes()), sha256(values.tobytes(), b"tomobasis secret 1\n"))
        slices.append((order, values.shape, "DERIVED" in data.ImageType, *digests))
    return slices


def from_dicom(folder: Path, rows: int, columns: int) -> dict:
    found = (one for path in folder.rglob("*") if path.is_file() for one in slices_of(path))
    slices = sorted(
        (order, *digests) for order, size, derived, *digests in found if size == (rows, columns) and not derived
    )
    pixels = sha256(*(digest for _, digest, _ in slices))
    secret = sha256(*(secret for *_, secret in slices))  # never published: it hides the UIDs
    hashes = (sha256(b"tomobasis instance 2\n", secret, order[2].encode()) for order, *_ in slices)
    return {"pixels": pixels, "instances (from the input)": sha256(*hashes)}


def from_npy(path: Path) -> dict:
    matrix = np.load(path)
    values = matrix.astype("<f8") + 0.0  # no -0.0
    small = any((values >= low).all() and (values < low + 65536).all() for low in (-32768, 0))
    if small and (values == np.trunc(values)).all():
        values = values.astype("<i4")
    columns = [column.tobytes() for column in values.T]
    secret = sha256(*(sha256(column, b"tomobasis secret 1\n") for column in columns))  # never published
    hashes = (sha256(b"tomobasis instance 2\n", secret, str(j + 1).encode()) for j in range(len(columns)))
    return {"pixels": sha256(*map(sha256, columns)), "instances (from the input)": sha256(*hashes)}


def from_derived(result: Path, manifest: dict) -> dict:
    import pydicom

    digests, derived = {}, manifest.get("derived", {})
    if derived.get("syntax") == "jpeg-ls" and not pydicom.pixels.get_decoder(pydicom.uid.JPEGLSLossless).is_available:
        print("skipped  derived series: pydicom needs a plugin for JPEG-LS (pip install pyjpegls)")
        return digests
    for series in derived.get("series", []):
        files = sorted((result / f"dicom/k={series['k']}").iterdir())
        slices = sorted((one for path in files for one in slices_of(path)), key=lambda one: one[0][:2])
        digests[f"pixels of k={series['k']}"] = sha256(*(digest for *_, digest, _ in slices))
    return digests


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("result", type=Path)
    parser.add_argument("--dicom", type=Path, metavar="DIR", help="folder with the one series that was decomposed")
    parser.add_argument("--npy", type=Path, metavar="FILE", help="the matrix that was decomposed")
    args = parser.parse_args()
    manifest = json.loads((args.result / "manifest.json").read_text(), object_pairs_hook=once)
    recorded = manifest["digests"]
    expected = {key: recorded[key] for key in ("pixels", "instances", "s", "V", "root")}
    expected |= {"instances (from the input)": recorded["instances"], "U": recorded["U"]["root"]}
    expected |= {f"U block {block}": digest for block, digest in enumerate(recorded["U"]["blocks"])}
    for series in manifest.get("derived", {}).get("series", []):
        expected[f"pixels of k={series['k']}"] = series["pixels"]
    files = files_of(args.result, manifest)
    found, listed = of_files(files, args.result, manifest)
    expected |= listed
    found |= from_tables(files, manifest)
    if args.dicom:
        found |= from_dicom(args.dicom, manifest["series"]["rows"], manifest["series"]["columns"])
        found |= from_derived(files, manifest)
    if args.npy:
        found |= from_npy(args.npy)
    differing = [name for name, digest in found.items() if digest.hex() != expected.get(name, "not listed")]
    for name, digest in found.items():
        print(f"{'DIFFERS' if name in differing else 'same':7}  {digest.hex()}  {name}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
