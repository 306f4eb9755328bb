"""What the Python package gives on the machine that this runs on, as JSON: for tests/emulation/test_aarch64_wheel.py.

wheel_digests.py SCAN RESULT OPTION=VALUE...
"""

import json
import platform
import sys

import numpy as np

import tomobasis


def matrix(rows, columns):
    """Integers from 0 to 65535 of integer arithmetic alone."""
    word = np.arange(rows * columns, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (word ^ word >> np.uint64(29)).astype(np.uint16).reshape(rows, columns)


def arrays():
    """The digests of each function."""
    integers = matrix(5000, 12)
    floats = integers[:, :9] * 0.25 + 0.125
    # Distances that no float32 rounds: class `certified` takes floats of any kind.
    kinds = {"uint16": integers, "int16": integers.astype(np.int16), "float64": floats, "float32": floats.astype("f4")}
    found = {f"svd of {name}": tomobasis.svd(a).digests for name, a in kinds.items()}
    found["svd without means"] = tomobasis.svd(floats, center="both").digests
    found["tsqr"] = tomobasis.tsqr(floats, center=True).digests
    found["randomized_svd"] = tomobasis.randomized_svd(floats, 3, seed=5).digests
    state = tomobasis.GramState(12)
    for block in np.array_split(integers, 7):
        state.update(block)
    found["GramState"] = state.finish(rank=4).digests | {"bytes": state.to_bytes()[-32:].hex()}
    return {name: dict(digests) for name, digests in found.items()}


def main(scan, result, *options):
    """Prints all of it."""
    given = dict(option.split("=", 1) for option in options)
    done = tomobasis.decompose(scan, result, emit=["parquet"], **given)
    volume = tomobasis.read(scan)
    of_scan = {name: done.digests[name] for name in ("pixels", "s", "V", "root")}
    done.verify(scan)
    found = {
        "machine": platform.machine(),
        "scan": of_scan | {"U": done.digests["U"]["root"]},
        "read": volume.digest,
        "denoised": tomobasis.svd(tomobasis.denoise(volume.hu, 1.0).reshape(len(volume.hu), -1).T).digest,
        "arrays": arrays(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
