"""The scans whose digests are recorded: one per kind of input that takes a path of its own through the arithmetic.

Their pixels come from integer arithmetic alone, so that no version of NumPy and no CPU can make other scans of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pydicom

from anatomy import Phantom
from ct_image import Storage
from make_ct_series import file_names, scan_of, write_series


def noise(*shape):
    """Integers of [0, 2^16), a fixed function of the index (multiplicative hashing)."""
    word = np.arange(np.prod(shape), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    word ^= word >> np.uint64(29)
    return ((word * np.uint64(0xBF58476D1CE4E5B9)) >> np.uint64(48)).astype(np.int64).reshape(shape)


def head(slices, rows, columns):
    """HU of an ellipsoid of bone around one of brain, with noise: integers, slices x rows x columns."""
    z, y, x = np.ogrid[-slices + 1 : slices : 2, -rows + 1 : rows : 2, -columns + 1 : columns : 2]
    radius = 1000 * (x * x * rows * rows + y * y * columns * columns) // (rows * rows * columns * columns)
    radius = radius + 500 * z * z // (slices * slices)
    hu = np.select([radius < 600, radius < 800], [40 + 7 * (x + 2 * y + 3 * z) // 100, 900], -1000)
    return hu + noise(slices, rows, columns) % 31 - 15


def repeated(hu):
    """Slices of which some are the same, one is constant and one is the sum of two others."""
    hu = hu.copy()
    hu[3], hu[4], hu[7], hu[9] = hu[1], 100, hu[1], hu[5] + hu[6]
    return hu


def graded(hu):
    """Slices that differ less and less from the first."""
    return np.stack([hu[0] + (hu[j] - hu[0]) // (1 << j) for j in range(len(hu))])


def decimal_rescale(dataset, index):
    """A slope and an intercept of its own for every slice, as PET scanners write them."""
    dataset.RescaleSlope = f"0.{137 + 29 * index}"
    dataset.RescaleIntercept = f"-{index}.7"


@dataclass(frozen=True)
class Case:
    name: str
    hu: np.ndarray
    storage: Storage
    edit: Callable | None = None
    options: tuple = ()

    def write(self, folder):
        """Writes the scan as DICOM files."""
        slices, rows, columns = self.hu.shape
        scan = scan_of(Phantom(), slices, rows, columns, self.storage)
        paths = write_series(folder, scan, enumerate(self.hu), file_names(slices, shuffled=False))
        for index, path in enumerate(paths if self.edit else []):
            dataset = pydicom.dcmread(path)
            self.edit(dataset, index)
            dataset.save_as(path)


TWELVE_BITS = Storage(intercept=-1024, bits=12)
SIGNED = Storage(intercept=0, signed=True, bits=16)
SCAN = head(20, 96, 80)

CASES = [
    Case("12 bits unsigned", SCAN, TWELVE_BITS),
    Case("16 bits signed", SCAN, SIGNED),
    Case("16 bits unsigned, whole range", noise(16, 70, 64) - 32_768, Storage(intercept=-32_768, bits=16)),
    Case("16 bits signed, whole range", noise(16, 70, 64) - 32_768, SIGNED),
    Case("decimal slopes", SCAN, TWELVE_BITS, decimal_rescale),
    Case("repeated slices", repeated(head(12, 60, 40)), SIGNED),
    Case("graded slices", graded(head(12, 80, 64) * 8), SIGNED),
    Case("more slices than pixels", noise(30, 4, 5) % 3000, TWELVE_BITS),
    Case("one slice", head(1, 64, 70), TWELVE_BITS),
    Case("rank 5", SCAN, TWELVE_BITS, options=("--rank", "5")),
]

# Class `fixed`: these bits are promised on x86-64 with AVX2 and FMA only.
FIXED = [
    Case("tsqr", SCAN, TWELVE_BITS, options=("--method", "tsqr")),
    Case(
        "tsqr, mean slice removed, decimal slopes", SCAN, TWELVE_BITS, decimal_rescale, ("--method", "tsqr", "--center")
    ),
    Case("tsqr, graded slices", graded(head(12, 80, 64) * 8), SIGNED, options=("--method", "tsqr")),
    Case("dssvd", SCAN, TWELVE_BITS, options=("--method", "dssvd", "--rank", "4", "--oversample", "3", "--seed", "5")),
    Case("dspca", SCAN, TWELVE_BITS, options=("--method", "dspca", "--rank", "4", "--oversample", "3")),
]
