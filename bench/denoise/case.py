"""Volumes whose truth is known, and the figures by which a denoised one is judged."""

import numpy as np
from scipy import ndimage
from skimage.metrics import structural_similarity

# Of one slice, +60 HU; of three slices, -20 HU: (contrast in HU, diameter in mm, slices).
LESIONS = {"+60 HU": (60, 6, 1), "-20 HU": (-20, 8, 3)}
# What errors are relative to in dB, HU.
RANGE = 2000
# The window in which structural similarity is taken, HU.
BRAIN = (-160, 240)


def places(truth, spacing, diameter, first, per_slice):
    """Where discs go: in every eighth slice of the judged part, where tissue is flattest, apart from one another."""
    radius = diameter / 2 / spacing[1]
    reach = int(3 * radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc, ring = np.hypot(y, x) <= radius, (np.hypot(y, x) > 1.5 * radius) & (np.hypot(y, x) <= 3 * radius)
    judged = range(len(truth))[judged_part(len(truth))]
    for index in judged[first::8]:
        image = truth[index]
        lowest, highest = (f(image, 2 * reach + 1) for f in (ndimage.minimum_filter, ndimage.maximum_filter))
        deviation = np.where((lowest > -50) & (highest < 150), highest - lowest, np.inf)
        deviation[:reach], deviation[-reach:], deviation[:, :reach], deviation[:, -reach:] = 4 * [np.inf]
        for _ in range(per_slice):
            row, column = np.unravel_index(np.argmin(deviation), deviation.shape)
            if not np.isfinite(deviation[row, column]):
                break
            yield index, slice(row - reach, row + reach + 1), slice(column - reach, column + reach + 1), disc, ring
            near = (slice(max(0, center - 2 * reach), center + 2 * reach + 1) for center in (row, column))
            deviation[tuple(near)] = np.inf


def judged_part(slices):
    """Figures are of the middle third: what is slow need not denoise more than it and a margin."""
    return slice(slices // 3, slices - slices // 3)


class Truth:
    """A head with lesions."""

    def __init__(self, source, slices, side, lesions_per_slice=1):
        depth, height, width = source.extent_mm
        self.spacing = depth / slices, height / side, width / side
        self.volume = np.stack([source.slice_hu(i, slices, side, side) for i in range(slices)]).astype(float)
        self.judged = judged_part(slices)
        self.lesions = {}
        for first, (name, (contrast, diameter, thickness)) in zip((0, 4), LESIONS.items(), strict=True):
            self.lesions[name] = list(places(self.volume, self.spacing, diameter, first, lesions_per_slice))
            for index, rows, columns, disc, _ in self.lesions[name]:
                for z in range(index - thickness // 2, index + thickness // 2 + 1):
                    self.volume[z, rows, columns][disc] += contrast
        self.body = self.volume > -500
        slope = np.hypot(*(ndimage.sobel(self.volume, axis) for axis in (1, 2)))
        inside = np.zeros_like(self.body)
        inside[self.judged] = self.body[self.judged]
        self.inside = inside
        self.edges = inside & (slope > np.quantile(slope[inside], 0.9))
        self.flat = inside & (slope <= np.quantile(slope[inside], 0.4))


class Case:
    """A truth with noise."""

    def __init__(self, truth, noise):
        self.truth = truth
        self.noisy = np.clip(np.rint(truth.volume + noise), -1024, 3071)
        self.noise = noise
        # What others are told: the true standard deviation of the noise in tissue.
        self.sigma = float(noise[truth.flat].std())

    def error(self, result, where):
        return float(np.sqrt(np.mean((result - self.truth.volume)[where] ** 2)))

    def decibels(self, result):
        return 20 * np.log10(RANGE / self.error(result, self.truth.inside))

    def similarity(self, result):
        """Mean structural similarity of the judged slices, in the window of soft tissue, inside of the body."""
        low, high = BRAIN
        part = self.truth.judged
        pairs = zip(self.truth.volume[part], result[part], self.truth.inside[part], strict=True)
        maps = [
            structural_similarity(*(np.clip(v, low, high) for v in (a, b)), data_range=high - low, full=True)[1][inside]
            for a, b, inside in pairs
        ]
        return float(np.concatenate(maps).mean())

    def kept(self, result, name):
        """The part of the contrast of these lesions that is left."""

        def contrast(volume):
            return sum(
                volume[i][y, x][disc].mean() - volume[i][y, x][ring].mean()
                for i, y, x, disc, ring in self.truth.lesions[name]
            )

        return float(contrast(result) / contrast(self.truth.volume))

    def judge(self, result, seconds):
        removed = self.noisy - result
        return {
            "gain_db": float(self.decibels(result) - self.decibels(self.noisy)),
            "similarity": self.similarity(result),
            "edge_rmse_hu": self.error(result, self.truth.edges),
            "flat_rmse_hu": self.error(result, self.truth.flat),
            "kept": {name: self.kept(result, name) for name in self.truth.lesions},
            "structure": float(removed[self.truth.edges].std() / removed[self.truth.flat].std()),
            "seconds": seconds,
        }
