"""Result folders as files: compared byte by byte, and changed by one bit."""

import hashlib
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def files(folder):
    """{relative path: bytes} of what is a property of the scan: all but how it was run."""
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    manifest = json.loads(found.pop("manifest.json"))
    report = found.pop("report.html", None)  # of a matrix there is none
    del manifest["run"]  # both say how long it took and where
    browsed = {} if report is None else {"data of report.html": json.dumps(report_texts(report.decode())).encode()}
    return {**found, **browsed, "manifest.json": json.dumps(manifest)}


def report_texts(page):
    """What the browser in a report shows: JSON about it, the encoded basis vectors, then the encoded planes."""
    meta = re.findall(r'<script type="application/json" id="browser-data">(.*?)</script>', page, re.DOTALL)
    basis = re.findall(r'<script type="text/plain" data-basis>(.*?)</script>', page, re.DOTALL)
    return meta + basis + re.findall(r'<script type="text/plain" data-plane="\d+">(.*?)</script>', page, re.DOTALL)


def report_data(path):
    """What a report's browser knows of the scan, and the encoded planes."""
    meta, _, *planes = report_texts(path.read_text())
    return json.loads(meta), planes


def same(a, b):
    """Asserts that two result folders hold the same files, to the byte, but for how they were made."""
    left, right = files(a), files(b)
    assert sorted(left) == sorted(right)
    assert [name for name in left if left[name] != right[name]] == []


def write_sealed(folder, manifest):
    """Writes a manifest with a right seal, by the definition in docs/format.md."""
    manifest["run"]["manifest_sha256"] = "0" * 64
    seal = hashlib.sha256(json.dumps(manifest).encode()).hexdigest()
    manifest["run"]["manifest_sha256"] = seal
    (folder / "manifest.json").write_text(json.dumps(manifest))


def flip_last_bit(path, column):
    """Changes the last bit of one number in a Parquet file, which stays a valid file."""
    table = pq.read_table(path)
    lists = table.column(column).combine_chunks()
    numbers = lists.flatten().to_numpy().copy()
    numbers[numbers.size // 2 :][:1].view(np.uint64)[0] ^= 1
    changed = pa.FixedSizeListArray.from_arrays(pa.array(numbers), type=lists.type)
    pq.write_table(table.set_column(table.column_names.index(column), table.schema.field(column), changed), path)
