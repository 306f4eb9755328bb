"""Where the Hounsfield values of the synthetic series come from: two heads, sampled on any grid.

A head is a field of HU over a box of known size in millimeters. `slice_hu(i, n, rows, columns)` samples its i-th of n
axial slices on a grid of rows x columns pixel centers, float32, so the same head serves a series of 301 slices of 512 x
512 and one of 12 slices of 40 x 36. Everything is element-wise IEEE arithmetic in a fixed order: the same options give
the same bits on any machine.

- `Cranium`: the real head CT in Debian's `invesalius-examples` (108 slices of 256 x 256 as int16 HU, 0.957 x 0.957 x
  1.5 mm), interpolated with the cubic convolution of Keys (1981), which passes through the measured values and does not
  blur.
- `Phantom`: ellipsoids in the manner of Shepp and Logan (1974) with the HU of tissue, for machines where the package
  can't be had.
"""

import plistlib
import tarfile
from pathlib import Path

import numpy as np

CRANIUM = Path("/usr/share/doc/invesalius-examples/examples/Cranium.inv3")


def keys_taps(count, samples):
    """Indices and weights, both (4, count), that resample `samples` points to `count` over the same extent."""
    position = (np.arange(count) + 0.5) * (samples / count) - 0.5
    base = np.floor(position)
    t = position - base
    weights = np.stack(
        [
            ((-0.5 * t + 1.0) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1.0,
            ((-1.5 * t + 2.0) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        ]
    )
    indices = base.astype(int) + np.arange(-1, 3)[:, None]
    return np.clip(indices, 0, samples - 1), weights.astype(np.float32)


class Cranium:
    """The head CT of Debian's `invesalius-examples` (GPL-2), read from the project file that the package installs."""

    name = "cranium"

    def __init__(self, path=CRANIUM):
        with tarfile.open(path) as project:
            members = {Path(m.name).name: m for m in project.getmembers()}
            meta = plistlib.loads(project.extractfile(members["main.plist"]).read())
            raw = project.extractfile(members["matrix.dat"]).read()
        volume = np.frombuffer(raw, "<i2").reshape(meta["matrix"]["shape"])
        # InVesalius stores the rows from posterior to anterior; DICOM's axial images run the other way.
        self.volume = volume[:, ::-1, :].astype(np.float32)
        x, y, z = (float(v) for v in meta["spacing"])
        slices, rows, columns = volume.shape
        self.extent_mm = (slices * z, rows * y, columns * x)

    def slice_hu(self, index, slices, rows, columns):
        depth, height, width = self.volume.shape
        at, weight = keys_taps(slices, depth)
        plane = sum(self.volume[at[t, index]] * weight[t, index] for t in range(4))
        at, weight = keys_taps(rows, height)
        plane = sum(plane[at[t], :] * weight[t][:, None] for t in range(4))
        at, weight = keys_taps(columns, width)
        return sum(plane[:, at[t]] * weight[t] for t in range(4))


# Center and semi-axes (z, y, x) in mm from the middle of the box, and HU. Later ones lie over earlier ones.
ELLIPSOIDS = (
    ((-2, 0, 0), (92, 98, 76), 40),  # scalp
    ((-2, 0, 0), (86, 92, 70), 1100),  # skull
    ((-2, 0, 0), (80, 86, 64), 36),  # brain
    ((8, -10, 11), (18, 32, 7), 6),  # ventricles
    ((8, -10, -11), (18, 32, 7), 6),
    ((-48, 34, 0), (20, 26, 34), 44),  # cerebellum
    ((-58, -72, 0), (14, 12, 16), -950),  # frontal sinus
    ((-60, 10, 50), (16, 12, 9), 1500),  # petrous bones
    ((-60, 10, -50), (16, 12, 9), 1500),
    ((26, 30, -30), (11, 13, 10), 68),  # haemorrhage
    ((34, -34, 28), (14, 12, 15), 22),  # oedema
    ((4, 36, 2), (3, 3, 3), 420),  # calcification
)


class Phantom:
    """A synthetic head of ellipsoids, edges one millimeter soft as partial volume makes them."""

    name = "phantom"
    extent_mm = (162.0, 245.0, 245.0)

    def slice_hu(self, index, slices, rows, columns):
        def centers(count, extent):
            return ((np.arange(count) + 0.5) / count - 0.5).astype(np.float32) * np.float32(extent)

        depth, height, width = self.extent_mm
        z = centers(slices, depth)[index]
        y = centers(rows, height)[:, None]
        x = centers(columns, width)[None, :]
        hu = np.full((rows, columns), -1000, np.float32)
        for (cz, cy, cx), (az, ay, ax), value in ELLIPSOIDS:
            radius = np.sqrt(((z - cz) / az) ** 2 + ((y - cy) / ay) ** 2 + ((x - cx) / ax) ** 2)
            inside = np.clip((1 - radius) * np.float32(min(az, ay, ax)) + np.float32(0.5), 0, 1)
            hu += inside * (np.float32(value) - hu)
        return hu


def head(name):
    """The head called `name`: "cranium", "phantom", or "auto" (cranium where it is installed)."""
    if name == "cranium" or (name == "auto" and CRANIUM.exists()):
        if not CRANIUM.exists():
            raise FileNotFoundError("no head CT here: apt-get install invesalius-examples, or use --source phantom")
        return Cranium()
    return Phantom()
