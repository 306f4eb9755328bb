"""A folder of DICOM -> the matrix `A`, read by pydicom."""

from dataclasses import dataclass
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


def read(folder):
    """The slices under `folder` (searched recursively) in spatial order; localizers and what is no image are left out.

    Whole slopes and intercepts only, so that `A` is an integer matrix.
    """
    images = []
    for path in sorted(p for p in Path(folder).rglob("*") if p.is_file()):
        d = pydicom.dcmread(path, force=True)
        if "PixelData" in d and "LOCALIZER" not in d.get("ImageType", []) and "ImagePositionPatient" in d:
            images.append(d)
    normal = np.cross(*np.array(images[0].ImageOrientationPatient, float).reshape(2, 3))
    images.sort(key=lambda d: float(np.dot(normal, np.array(d.ImagePositionPatient, float))))
    stored = np.stack([d.pixel_array for d in images]).astype(np.int64)
    slopes = [float(d.RescaleSlope) for d in images]
    intercepts = [float(d.RescaleIntercept) for d in images]
    assert all(v.is_integer() for v in slopes + intercepts)
    flat = stored.reshape(len(images), -1)
    hu = flat * np.array(slopes, np.int64)[:, None] + np.array(intercepts, np.int64)[:, None]
    return Matrix(np.ascontiguousarray(hu.T), stored, [d.SOPInstanceUID for d in images])
