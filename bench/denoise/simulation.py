"""Noise of a CT scanner, by projection: photons and electronics in the sinogram, filtered back projection to an image.

Reconstruction is linear, so the noise of an image is the reconstruction of the noise of its sinogram: the logarithm of
noisy counts less the exact line integrals (Poisson noise of photons behind the object, Gaussian noise of the
electronics). Parallel beam, a circular table of views over 180 degrees; no bowtie, no tube modulation. The kernel is
`ramp` (sharp) or `hann` (soft). Overlapping reconstructions are noise mixed over three slices by [1 2 1].
"""

from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from skimage.transform import iradon, radon

WATER_PER_MM = 0.0195  # linear attenuation of water at the mean energy of a 120 kV beam
VIEWS = 720
ELECTRONIC = 10.0  # standard deviation of the electronics' noise, in photons
ANGLES = np.linspace(0, 180, VIEWS, endpoint=False)


def sinogram(hu, pixel_mm):
    """Exact line integrals (detectors x views) of a square image of HU."""
    attenuation = WATER_PER_MM * pixel_mm * np.clip(1 + hu / 1000.0, 0, None)
    return radon(attenuation, ANGLES, circle=True).astype(np.float32)


def slice_noise(one, photons, kernel, pixel_mm):
    """Noise (HU) of the slice with this sinogram; `one` is (seed, sinogram)."""
    seed, integrals = one
    random = np.random.default_rng(seed)
    counts = random.poisson(photons * np.exp(-integrals.astype(float))) + random.normal(0, ELECTRONIC, integrals.shape)
    measured = -np.log(np.maximum(counts, 1) / photons)
    image = iradon(measured - integrals, ANGLES, filter_name=kernel, circle=True)
    return 1000 * image / (WATER_PER_MM * pixel_mm)


class Scanner:
    """A volume (slices x rows x columns, HU) in the beam: noise for any number of photons and any kernel."""

    def __init__(self, truth, pixel_mm):
        self.pixel_mm = pixel_mm
        # Air outside of the circle that all views see does not count.
        side = truth.shape[-1]
        y, x = np.mgrid[:side, :side] - (side - 1) / 2
        seen = np.where(np.hypot(y, x) < side / 2 - 1, truth, -1000.0)
        with ProcessPoolExecutor() as pool:
            self.sinograms = list(pool.map(partial(sinogram, pixel_mm=pixel_mm), seen, chunksize=4))

    def noise(self, photons, kernel, overlap, seed):
        """Noise in HU, as the volume."""
        ends = 1 if overlap else 0
        # Slices above and below the volume, for the mixture: their sinograms are those of its ends.
        padded = self.sinograms[:1] * ends + self.sinograms + self.sinograms[-1:] * ends
        work = [([seed, index], one) for index, one in enumerate(padded)]
        with ProcessPoolExecutor() as pool:
            make = partial(slice_noise, photons=photons, kernel=kernel, pixel_mm=self.pixel_mm)
            noise = np.stack(list(pool.map(make, work, chunksize=4)))
        if overlap:
            noise = (noise[:-2] + 2 * noise[1:-1] + noise[2:]) / np.sqrt(6)
        return noise
