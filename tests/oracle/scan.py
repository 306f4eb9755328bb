"""A folder of DICOM -> the matrix `A`, read by pydicom."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pydicom


@dataclass(frozen=True)
class Matrix:
    """`A` as int64 HU (pixels x slices) with the stored integers it came from (slices x rows x columns)."""

    hu: np.ndarray
    stored: np.ndarray
    sop_uids: list

    @property
    def columns(self):
        return self.hu.shape[1]

    def gram(self):
        """`A^T A` exactly: every partial sum fits an int64."""
        rows = self.hu.shape[0]
        peak = int(np.abs(self.hu).max())
        assert rows * peak * peak < 2**53, "the float64 product below would not be exact"
        a = self.hu.astype(np.float64)
        return (a.T @ a).astype(np.int64)


@dataclass(frozen=True)
class Stored:
    """Stored pixels (slices x pixels), and of each slice the slope and intercept as float64, as they are in the files."""

    stored: np.ndarray
    slopes: list
    intercepts: list
    sop_uids: list
    shape: tuple

    def rescaled(self):
        """`A` in float64, rounded."""
        return (self.stored * np.array(self.slopes)[:, None] + np.array(self.intercepts)[:, None]).T

    def exact_gram(self):
        """`A^T A` over the rationals: (integers as nested lists, the exponent of the power of two that multiplies them)."""
        factors = [Fraction(v) for v in (*self.slopes, *self.intercepts)]
        exponent = max(f.denominator for f in factors).bit_length() - 1  # float64's denominators are powers of two
        slopes, intercepts = ([int(Fraction(v) * 2**exponent) for v in f] for f in (self.slopes, self.intercepts))
        columns = [
            [a * int(x) + b for x in values] for a, b, values in zip(slopes, intercepts, self.stored, strict=True)
        ]
        gram = [[sum(x * y for x, y in zip(p, q, strict=True)) for q in columns] for p in columns]
        return gram, -2 * exponent


def read_stored(folder):
    """The slices under `folder` (searched recursively) in spatial order; localizers and what is no image are left out."""
    images = []
    for path in sorted(p for p in Path(folder).rglob("*") if p.is_file()):
        d = pydicom.dcmread(path, force=True)
        if "PixelData" in d and "LOCALIZER" not in d.get("ImageType", []) and "ImagePositionPatient" in d:
            images.append(d)
    normal = np.cross(*np.array(images[0].ImageOrientationPatient, float).reshape(2, 3))
    images.sort(key=lambda d: float(np.dot(normal, np.array(d.ImagePositionPatient, float))))
    stored = np.stack([d.pixel_array for d in images]).astype(np.int64)
    return Stored(
        stored.reshape(len(images), -1),
        [float(d.RescaleSlope) for d in images],
        [float(d.RescaleIntercept) for d in images],
        [d.SOPInstanceUID for d in images],
        stored.shape,
    )


def read(folder):
    """The same as `A`: whole slopes and intercepts only, so that it is an integer matrix."""
    series = read_stored(folder)
    assert all(v.is_integer() for v in series.slopes + series.intercepts)
    slopes, intercepts = (np.array(v, np.int64)[:, None] for v in (series.slopes, series.intercepts))
    hu = series.stored * slopes + intercepts
    return Matrix(np.ascontiguousarray(hu.T), series.stored.reshape(series.shape), series.sop_uids)
