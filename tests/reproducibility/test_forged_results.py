"""Results that lie, with every digest recomputed: `verify` and `certify` find out by the scan."""

import hashlib
import importlib.util
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from oracle import result
from results import write_sealed
from running import ROOT, tomobasis

spec = importlib.util.spec_from_file_location("recompute_digests", ROOT / "docs/recompute_digests.py")
recompute = importlib.util.module_from_spec(spec)
spec.loader.exec_module(recompute)


def up(x):
    return np.nextafter(x, np.inf)


def changed(array, at, change):
    array = array.copy()
    array[at] = change(array[at])
    return array


LIES = {
    "s off by one ulp": lambda s, v, u: (changed(s, 3, up), v, u),
    "a negative s": lambda s, v, u: (changed(s, -1, np.negative), v, u),
    "an s that is no number": lambda s, v, u: (changed(s, 3, lambda _: np.nan), v, u),
    "s in another order": lambda s, v, u: (s[::-1], v, u),
    "V off by one ulp": lambda s, v, u: (s, changed(v, (2, 3), up), u),
    "another sign of V": lambda s, v, u: (s, changed(v, np.s_[:, 2], np.negative), u),
    "another sign of V and U": lambda s, v, u: (
        s,
        changed(v, np.s_[:, 2], np.negative),
        [changed(block, np.s_[:, 2], np.negative) for block in u],
    ),
    "V and U permuted": lambda s, v, u: (
        s,
        v[:, [1, 0, *range(2, s.size)]],
        [block[:, [1, 0, *range(2, s.size)]] for block in u],
    ),
    "U off by one ulp": lambda s, v, u: (s, v, [*u[:-1], changed(u[-1], (5, 1), up)]),
    "a U that is no number": lambda s, v, u: (s, v, [changed(u[0], (5, 1), lambda _: np.nan), *u[1:]]),
}


def put(path, old, new):
    """Puts other numbers into a table, which holds them plainly."""
    old, new = (np.ascontiguousarray(x, "<f8").tobytes() for x in (old, new))
    content = path.read_bytes()
    assert content.count(old) >= 1
    path.write_bytes(content.replace(old, new, 1))


def forge(folder, lie):
    """Puts a lie into a result's tables, and makes every digest of it that of the lie."""
    blocks = sorted((folder / "basis").iterdir())
    true = result.read(folder)
    u = [result.vectors(pq.read_table(block), "values") for block in blocks]
    s, v, lied = lie(true.s, true.v, u)
    put(folder / "singular_values.parquet", true.s, s)
    put(folder / "weights.parquet", true.v, v)
    for path, old, new in zip(blocks, u, lied, strict=True):
        put(path, old, new)
    manifest, digests = true.manifest, true.manifest["digests"]
    for _ in range(2):  # the root digest is that of the others
        found = {name: digest.hex() for name, digest in recompute.from_tables(folder, manifest).items()}
        digests |= {name: found[name] for name in ("s", "V", "root")}
        digests["U"] = {"root": found["U"], "blocks": [found[f"U block {i}"] for i in range(len(blocks))]}
    for entry in manifest["files"]:
        content = (folder / entry["path"]).read_bytes()
        entry["bytes"], entry["sha256"] = len(content), hashlib.sha256(content).hexdigest()
    write_sealed(folder, manifest)


@pytest.mark.parametrize("name", LIES)
def test_no_wrong_number_is_verified_or_certified_though_every_digest_fits(name, made, tmp_path):
    copy = shutil.copytree(made.result, tmp_path / "copy")
    forge(copy, LIES[name])
    run = tomobasis("verify", copy, "--input", made.folder)
    assert run.code == 4 and len(run.errors) == 1, run.out + run.err
    run = tomobasis("certify", copy, "--input", made.folder, "--output", tmp_path / "bundle")
    assert run.code == 4 and len(run.errors) == 1, run.out + run.err
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
    if "no number" in name or "negative" in name or "order" in name:
        for command in (("attest", copy, "--as", "in-toto"), ("render", copy, "--output", tmp_path / "pictures")):
            run = tomobasis(*command)
            assert run.code == 3 and "parquet: " in run.errors[0], run.out + run.err
