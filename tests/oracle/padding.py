"""Pixels that hold nothing, and what takes their place, as docs/format.md has it: by pydicom and NumPy."""

from fractions import Fraction

import numpy as np


def of_slice(dataset):
    """Which pixels of a CT slice in HU are padding."""
    stored = dataset.pixel_array.astype(np.int64)
    padding = np.zeros(stored.shape, bool)
    if "PixelPaddingValue" in dataset:
        ends = dataset.PixelPaddingValue, dataset.get("PixelPaddingRangeLimit", dataset.PixelPaddingValue)
        padding |= (stored >= min(ends)) & (stored <= max(ends))
    hu = stored * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    corner = hu[0, 0]
    if corner < -1200 and (hu[[0, 0, -1, -1], [0, -1, 0, -1]] == corner).all() and hu.min() == corner:
        padding |= hu == corner
    return padding


def instead(dataset, rule):
    """The stored value in the place of padding, by exact arithmetic."""
    target = {"air": -1000, "mask": 0}[rule]
    exact = (target - Fraction(float(dataset.RescaleIntercept))) / Fraction(float(dataset.RescaleSlope))
    return round(exact)  # ties to even


def replaced(dataset, rule):
    """The stored pixels as they go into `A`."""
    stored = dataset.pixel_array.astype(np.int64)
    return stored if rule == "keep" else np.where(of_slice(dataset), instead(dataset, rule), stored)
